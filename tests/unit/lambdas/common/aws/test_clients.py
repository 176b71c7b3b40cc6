"""Clients that threads share, and failures of a service that are transient."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from threading import Barrier

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from lambdas.common.aws.clients import Clients, dependency
from lambdas.common.errors import DependencyUnavailableError
from tests.support.broken import AnswerBody


def answer(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": "about Okonjo"},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "PutItem",
    )


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (answer("ThrottlingException"), "dynamodb PutItem: ThrottlingException"),
        (answer("ProvisionedThroughputExceededException"), "ProvisionedThroughput"),
        (answer("SlowDown", 503), "SlowDown"),
        (answer("WhateverComesNext", 500), "WhateverComesNext"),
        (answer("WhateverComesNext", 429), "WhateverComesNext"),
        (ReadTimeoutError(endpoint_url="http://x"), "dynamodb: ReadTimeoutError"),
        (ConnectTimeoutError(endpoint_url="http://x"), "ConnectTimeoutError"),
        (ConnectionClosedError(endpoint_url="http://x"), "ConnectionClosedError"),
        (EndpointConnectionError(endpoint_url="http://x"), "EndpointConnectionError"),
        (ResponseStreamingError(error="cut"), "ResponseStreamingError"),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), "IncompleteReadError"),
    ],
)
def test_what_may_pass_is_a_dependency_that_is_unavailable(failure: Exception, text: str) -> None:
    with pytest.raises(DependencyUnavailableError, match=text) as raised, dependency("dynamodb"):
        raise failure
    assert "Okonjo" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    "failure",
    [
        answer("AccessDeniedException", 403),
        answer("ValidationException"),
        answer("ConditionalCheckFailedException"),
        ParamValidationError(report="Okonjo"),
        NoCredentialsError(),
        ValueError("ours"),
    ],
)
def test_what_is_our_own_fault_passes_unchanged(failure: Exception) -> None:
    with pytest.raises(type(failure)) as raised, dependency("dynamodb"):
        raise failure
    assert raised.value is failure


def test_threads_that_need_a_client_at_the_same_time_share_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, begun, made = boto3.client, Barrier(8), list[str]()

    def client(service: str, **options: object) -> object:
        made.append(service)
        return real(service, region_name="us-east-1", **options)

    monkeypatch.setattr(boto3, "client", client)
    clients = Clients()

    def use(_: int) -> object:
        begun.wait(timeout=10)
        return clients.get("lambda")

    with ThreadPoolExecutor(8) as threads:
        found = set(map(id, threads.map(use, range(8))))
    assert (len(found), made) == (1, ["lambda"])


@pytest.mark.parametrize(("sent", "whole"), [(b'{"Keys": [', False), (b"", False), (b"{}  ", True)])
def test_an_answer_that_is_cut_off_is_no_empty_answer(
    monkeypatch: pytest.MonkeyPatch, sent: bytes, whole: bool
) -> None:
    for name in ("DEFAULT_REGION", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "us-east-1")
    headers = {"content-length": str(len(sent) + (0 if whole else 100))}
    kms = Clients().get("kms")
    kms.meta.events.register_first(
        "before-send", lambda **_: AWSResponse("http://kms.example", 200, headers, AnswerBody(sent))
    )
    cut = pytest.raises(DependencyUnavailableError, match="ResponseStreamingError")
    with nullcontext() if whole else cut, dependency("kms"):
        kms.list_keys()
