"""A first attempt that fails is botocore's own: its errors, its retries, and what it sends again."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED, endpoint
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, NoCredentialsError

from local.aws.clients import REGION
from local.aws.http_server import WsgiServer
from local.aws.sockets import Environ, StartResponse, listen
from local.patches import botocore

ITEM = {"id": {"S": "a"}}
TRANSACTION = {"TransactItems": [{"Put": {"TableName": "t", "Item": ITEM}}]}


class Server:
    """An AWS that answers each request as the next of `answers` says, and then well; all with `body`, if given."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.body: bytes | None = None
        self.requests: list[tuple[dict[str, str], bytes]] = []

    def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        headers = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
        self.requests.append((headers, environ["wsgi.input"].read()))
        answer = self.answers.pop(0) if self.answers else "200 OK"
        if answer == "late":
            time.sleep(0.6)
        elif answer == "closed":
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        status, _, code = (answer if answer[0].isdigit() else "200 OK").partition("|")
        start_response(status, [("Content-Type", "application/json"), ("x-amzn-requestid", "R")])
        if self.body is not None:
            return [self.body]
        return [json.dumps({"__type": f"x#{code}", "message": "said so"} if code else {}).encode()]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def client(
    server: Server, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Makes a client of the server with three attempts of ten seconds."""
    botocore.install_for_loopback()
    monkeypatch.setattr(endpoint, "time", SimpleNamespace(sleep=lambda _: None, time=time.time))
    running = WsgiServer(listen("AWS", 0, ""), server).start()
    config = Config(read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})

    def make(service: str = "dynamodb", **options: Any) -> Any:
        return boto3.Session().client(
            service,
            region_name=REGION,
            endpoint_url=running.url,
            config=config.merge(Config(**options)),
        )

    try:
        yield make
    finally:
        running.stop()


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [
        ("500 X|InternalServerError", 10),
        ("400 X|ThrottlingException", 10),
        ("closed", 10),
        ("late", 0.3),
    ],
)
def test_a_failed_first_attempt_is_made_again_with_the_same_body(
    failure: str, seconds: float, client: Callable[..., Any], server: Server
) -> None:
    """The body has the idempotency token: with another one, the transaction might be made twice."""
    server.answers = [failure]
    answer = client(read_timeout=seconds).transact_write_items(**TRANSACTION)
    (_, first), (_, second) = server.requests
    assert first == second
    assert b"ClientRequestToken" in first
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_an_error_in_an_answer_200_of_s3_is_made_again(
    client: Callable[..., Any], server: Server
) -> None:
    """An object is copied after S3 has answered 200 (Amazon S3 API Reference, "CopyObject")."""
    server.body = b"<Error><Code>InternalError</Code><Message>said so</Message></Error>"
    s3 = client("s3", s3={"addressing_style": "path"})
    with pytest.raises(ClientError, match="InternalError"):
        s3.copy_object(Bucket="b", Key="k", CopySource="b/other")
    assert len(server.requests) == 3


def test_an_error_that_no_attempt_mends_is_raised_after_one_request(
    client: Callable[..., Any], server: Server
) -> None:
    server.answers = ["400 X|ConditionalCheckFailedException"]
    dynamodb = client()
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException) as raised:
        dynamodb.put_item(TableName="t", Item=ITEM)
    assert raised.value.response["Error"]["Message"] == "said so"
    assert raised.value.response["ResponseMetadata"]["RequestId"] == "R"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("failure", "error"),
    [("500 X|InternalServerError", ClientError), ("closed", ConnectionClosedError)],
)
def test_a_call_has_as_many_attempts_as_its_client_allows(
    failure: str, error: type[Exception], client: Callable[..., Any], server: Server
) -> None:
    server.answers = [failure] * 5
    with pytest.raises(error):
        client().put_item(TableName="t", Item=ITEM)
    assert len(server.requests) == 3


def test_one_call_s_failure_is_not_the_next_call_s(
    client: Callable[..., Any], server: Server
) -> None:
    dynamodb = client(retries={"total_max_attempts": 1})
    for failure in ("closed", "400 X|ResourceNotFoundException"):
        server.answers = [failure]
        with pytest.raises((ConnectionClosedError, ClientError)):
            dynamodb.get_item(TableName="t", Key=ITEM)
        assert dynamodb.get_item(TableName="t", Key=ITEM)["ResponseMetadata"]["RetryAttempts"] == 0


def test_a_first_attempt_names_the_caller_and_the_session(
    client: Callable[..., Any], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAROLE")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-the-role")
    client("sesv2").get_account()
    ((headers, _),) = server.requests
    scope = rf"AWS4-HMAC-SHA256 Credential=ASIAROLE/\d{{8}}/{REGION}/ses/aws4_request, .*"
    assert re.fullmatch(scope, headers["HTTP_AUTHORIZATION"])
    assert headers["HTTP_X_AMZ_SECURITY_TOKEN"] == "of-the-role"


def test_a_further_attempt_is_signed(client: Callable[..., Any], server: Server) -> None:
    server.answers = ["closed"]
    client().get_item(TableName="t", Key=ITEM)
    assert re.search(r"Signature=[0-9a-f]{64}$", server.requests[1][0]["HTTP_AUTHORIZATION"])


def test_an_unsigned_call_names_nobody(client: Callable[..., Any], server: Server) -> None:
    client(signature_version=UNSIGNED).get_item(TableName="t", Key=ITEM)
    assert "HTTP_AUTHORIZATION" not in server.requests[0][0]


def test_a_call_without_credentials_is_refused_as_by_botocore(
    client: Callable[..., Any], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "absent")
    with pytest.raises(NoCredentialsError):
        client().get_item(TableName="t", Key=ITEM)
    assert server.requests == []
