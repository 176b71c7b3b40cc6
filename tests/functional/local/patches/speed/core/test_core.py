"""Hosts and members of answers: the same results as in moto, computed once."""

import re
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.model import Shape
from moto import mock_aws
from moto.backend_index import backend_url_patterns
from moto.core.request import Request
from moto.core.responses import BaseResponse
from moto.core.serialize import ResponseSerializer
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from moto.ses.models import SESBackend
from moto.utilities.aws_headers import gen_amzn_requestid_long
from werkzeug.test import EnvironBuilder

from local.aws.clients import ACCOUNT
from local.patches import speed
from local.patches.speed.core import request_ids, routes, serializers


@pytest.mark.parametrize(
    "host", ["sqs.us-east-1.amazonaws.com", "dynamodb", "sesv2", "states.us-east-1.amazonaws.com"]
)
def test_a_cached_host_has_the_backend_that_moto_finds(host: str) -> None:
    speed.install()
    application = DomainDispatcherApplication(create_backend_app)
    matching = [name for name, pattern in backend_url_patterns if pattern.match(f"http://{host}")]
    for _ in range(2):
        found = application.get_backend_for_host(host)
        assert found == (matching[0] if matching else host)


def test_each_member_of_an_answer_is_the_one_that_moto_finds(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, compared = serializers._get_value, []

    def both(serializer: ResponseSerializer, value: Any, key: str, shape: Shape) -> Any:
        found = serializers._value(serializer, value, key, shape)
        assert found == original(serializer, value, key, shape)
        compared.append(key)
        return found

    monkeypatch.setattr(ResponseSerializer, "get_value", both)
    dynamodb, sqs = aws.client("dynamodb"), aws.client("sqs")
    dynamodb.describe_table(TableName="ledger")
    item = {"event_id": {"S": "e"}, "list": {"L": [{"N": "1"}, {"M": {"a": {"BOOL": True}}}]}}
    dynamodb.put_item(TableName="status", Item=item)
    dynamodb.scan(TableName="status", ReturnConsumedCapacity="TOTAL")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="text")
    sqs.receive_message(QueueUrl=url, AttributeNames=["All"])
    aws.client("secretsmanager").get_secret_value(SecretId="audit-key")
    assert len(compared) > 200


def test_a_reset_forgets_what_services_fill_while_it_resets_others(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    speed.install()
    reset = SESBackend.reset

    def asking(backend: SESBackend) -> None:
        """Asks for S3's backend, which this reset has emptied before."""
        reset(backend)
        s3_backends[ACCOUNT]["aws"].create_bucket("left", "us-east-1")

    monkeypatch.setattr(SESBackend, "reset", asking)
    for _ in range(2):
        with mock_aws():
            buckets = boto3.client("s3").list_buckets()["Buckets"]
            boto3.client("sesv2").create_configuration_set(ConfigurationSetName="set")
    assert [bucket["Name"] for bucket in buckets] == ["left"]
    monkeypatch.undo()
    with mock_aws():
        assert s3_backends[ACCOUNT]["aws"].buckets
    with mock_aws():
        assert not s3_backends[ACCOUNT]["aws"].buckets


def test_a_request_id_looks_like_moto_s_and_is_new_each_time() -> None:
    pattern = re.compile(r"[A-Za-z0-9]{52}")
    assert pattern.fullmatch(gen_amzn_requestid_long())
    headers: dict[str, str] = {}
    first, second = (request_ids._added(headers) for _ in range(2))
    assert pattern.fullmatch(first)
    assert first != second == headers["x-amzn-requestid"]


@pytest.mark.parametrize(
    ("service", "method", "path", "query"),
    [
        ("lambda", "POST", "/2015-03-31/functions/f%3A1/invocations", ""),
        ("lambda", "GET", "/2015-03-31/functions", "MaxItems=1"),
        ("lambda", "GET", "/2015-03-31/functions/f", ""),
        ("lambda", "PUT", "/2015-03-31/nothing", ""),
        ("sesv2", "POST", "/v2/email/outbound-emails", ""),
        ("sesv2", "GET", "/v2/email/account", ""),
        ("s3", "GET", "/bucket/key", "tagging"),
    ],
)
def test_a_path_leads_to_the_operation_that_moto_finds_the_first_time_and_again(
    service: str, method: str, path: str, query: str
) -> None:
    speed.install()

    def found(find: Callable[..., Any]) -> tuple[Any, Any]:
        environ = EnvironBuilder(path, method=method, query_string=query).get_environ()
        environ["RAW_URI"] = f"{path}?{query}"
        response = BaseResponse(service_name=service)
        response.uri_match = {}
        return find(response, Request(environ)), response.uri_match

    expected = found(routes._get_action)
    for _ in range(2):
        assert found(routes._cached) == expected


def test_a_path_is_found_although_another_thread_empties_the_cache(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Emptied(dict[Any, Any]):
        """Loses its entries after each look, as by another thread."""

        def __contains__(self, key: object) -> bool:
            known = super().__contains__(key)
            self.clear()
            return known

        def get(self, key: object, default: Any = None) -> Any:
            known = super().get(key, default)
            self.clear()
            return known

    monkeypatch.setattr(routes, "_found", Emptied())
    environ = EnvironBuilder("/v2/email/account", method="GET").get_environ()
    environ["RAW_URI"] = "/v2/email/account"
    for _ in range(2):
        response = BaseResponse(service_name="sesv2")
        assert routes._cached(response, Request(environ)) == "GetAccount"
