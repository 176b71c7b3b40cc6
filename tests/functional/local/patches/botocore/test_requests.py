"""Requests that the changed botocore sends say what those of botocore say, but for the signature."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.regions import EndpointRulesetResolver
from botocore.serialize import JSONSerializer
from botocore.useragent import UserAgentString
from botocore.validate import ParamValidator

from local.aws import clients
from local.aws.http_server import WsgiServer
from local.aws.sockets import Environ, StartResponse, listen
from local.patches import botocore
from local.patches.botocore import (
    attempts,
    attribute_values,
    endpoints,
    json_bodies,
    transport,
    user_agents,
)
from tests.support.botocore_changes import REPLACED, functions

SIGNING = ("HTTP_X_AMZ_CONTENT_SHA256", "HTTP_X_AMZ_DATE")
"""Headers that only the check of a signature reads."""

KEY = {"id": {"S": "a"}}
TABLE = {"TableName": "t"}

CALLS: dict[str, Callable[[Any], Any]] = {
    "s3 put": lambda make: make("s3").put_object(Bucket="first", Key="a/ä.txt", Body=b"text"),
    "s3 get": lambda make: make("s3").get_object(Bucket="second", Key="k"),
    "s3 list": lambda make: make("s3").list_objects_v2(Bucket="first", Prefix="p"),
    "dynamodb get": lambda make: make("dynamodb").get_item(**TABLE, Key=KEY),
    "dynamodb batch": lambda make: make("dynamodb").batch_get_item(
        RequestItems={"t": {"Keys": [KEY]}, "u": {"Keys": [KEY]}}
    ),
    "sqs": lambda make: make("sqs").send_message(QueueUrl="http://q/1/q", MessageBody="b"),
    "kms": lambda make: make("kms").generate_mac(
        KeyId="k", Message=b"m", MacAlgorithm="HMAC_SHA_256"
    ),
    "sesv2": lambda make: make("sesv2").get_account(),
    "paginated": lambda make: list(make("dynamodb").get_paginator("scan").paginate(**TABLE)),
}


class RequestLog:
    """A server that keeps each request and answers an empty document."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bytes, dict[str, str]]] = []

    def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        headers = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
        body = environ["wsgi.input"].read()
        self.requests.append((environ["REQUEST_METHOD"], environ["RAW_URI"], body, headers))
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b"" if "/s3/aws4_request" in headers["HTTP_AUTHORIZATION"] else b"{}"]


@pytest.fixture
def app() -> RequestLog:
    return RequestLog()


@pytest.fixture
def make(app: RequestLog, environment: dict[str, str]) -> Iterator[Callable[[str], Any]]:
    """Makes clients of a server that answers everything."""
    botocore.install_for_loopback()
    server = WsgiServer(listen("AWS", 0, ""), app).start()
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        return made.setdefault(service, clients.client(service, server.port))

    try:
        yield client
    finally:
        server.stop()


@pytest.fixture
def as_botocore_does(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Takes the changes away for the rest of the test, all but the transport and the answers' parser."""

    def restore() -> None:
        monkeypatch.setattr(EndpointRulesetResolver, "construct_endpoint", endpoints._construct)
        serialize = json_bodies._serialize_structure
        monkeypatch.setattr(JSONSerializer, "_serialize_type_structure", serialize)
        monkeypatch.setattr(BaseClient, "_make_request", attempts._make_request)
        monkeypatch.setattr(ParamValidator, "_validate_map", attribute_values._validate_map)
        monkeypatch.setattr(UserAgentString, "to_string", user_agents._to_string)

    return restore


def comparable(app: RequestLog) -> list[tuple[Any, ...]]:
    """The recorded requests without what a signature needs, tries, and a part of the user agent.

    That part is botocore's list of features, and the name of Powertools, which a handler of
    `request-created` adds in any process that has loaded it. The list is emptied.
    """
    found = []
    for method, target, body, headers in app.requests:
        scope = re.findall(r"Credential=(\w+)/\d+/([^,]+)", headers["HTTP_AUTHORIZATION"])
        agent = re.sub(r" (m/[\w,+-]+|PT\S*)", "", headers["HTTP_USER_AGENT"])
        rest = {
            name: value
            for name, value in headers.items()
            if name not in ("HTTP_AUTHORIZATION", "HTTP_USER_AGENT", *SIGNING)
            and not name.startswith("HTTP_AMZ_SDK")
        }
        found.append((method, target, body, scope, agent, rest))
    app.requests.clear()
    return found


@pytest.mark.parametrize("call", CALLS)
def test_a_request_is_botocore_s_own_the_first_time_and_again(
    call: str,
    make: Callable[[str], Any],
    app: RequestLog,
    as_botocore_does: Callable[[], None],
) -> None:
    for _ in range(2):
        CALLS[call](make)
    first, again = comparable(app)
    as_botocore_does()
    CALLS[call](make)
    assert [first] == [again] == comparable(app)


def test_each_bucket_has_its_own_endpoint(make: Callable[[str], Any], app: RequestLog) -> None:
    for bucket in ("one", "two", "one"):
        make("s3").get_object(Bucket=bucket, Key="k")
    assert [target for _, target, _, _ in app.requests] == ["/one/k", "/two/k", "/one/k"]


def test_the_replaced_functions_are_those_that_every_test_must_restore(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """tests/conftest.py fails a test that leaves one of `REPLACED` changed."""
    replaced: list[tuple[type, str]] = []
    own = functions()
    for module in (attempts, attribute_values, endpoints, json_bodies, transport):
        monkeypatch.setattr(
            module, "replace", lambda owner, name, _: replaced.append((owner, name))
        )
    botocore.install_for_loopback()
    assert tuple(replaced) == REPLACED
    assert functions() == own
