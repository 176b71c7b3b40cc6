"""Hosts, resets and request ids: the same results as in moto, in fewer steps."""

import re

import boto3
import pytest
from moto import mock_aws
from moto.backend_index import backend_url_patterns
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from moto.ses.models import SESBackend
from moto.utilities.aws_headers import gen_amzn_requestid_long

from local.aws.clients import ACCOUNT
from local.patches import speed
from local.patches.speed import core


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
    first, second = (core._add_request_id(headers) for _ in range(2))
    assert pattern.fullmatch(first)
    assert first != second == headers["x-amzn-requestid"]
