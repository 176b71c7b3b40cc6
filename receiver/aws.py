"""The AWS clients, and the one place where their failures become ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
)

from receiver.errors import StoreUnavailableError
from receiver.settings import Settings

# Two tries of at most 3.5 s and a pause below 1 s: one hanging call leaves the sender an answer in
# time, and a second call behind it is cut by `store_seconds`.
_CONNECT_SECONDS, _READ_SECONDS, _TRIES = 1, 2.5, 2


@dataclass(frozen=True, slots=True)
class Clients:
    """The boto3 clients that the receiver uses; they are safe to share between threads."""

    s3: Any
    sqs: Any
    secrets: Any


def make_clients(settings: Settings) -> Clients:
    """Clients with short waits, few tries, and a connection for each storing thread."""
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _TRIES},
        max_pool_connections=settings.store_threads,
        tcp_keepalive=True,
    )
    patient = Config(retries={"mode": "standard", "total_max_attempts": 5})
    return Clients(
        s3=boto3.client("s3", config=config),
        sqs=boto3.client("sqs", config=config),
        secrets=boto3.client("secretsmanager", config=patient),
    )


@contextmanager
def confirmed(service: str) -> Iterator[None]:
    """Turns every failure of a call into `StoreUnavailableError`; our own mistakes pass unchanged.

    A refusal (no grant, no bucket) counts too: the sender keeps its message while an operator mends it.
    """
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        raise StoreUnavailableError(f"{service} {error.operation_name}: {code}") from None
    except (
        HTTPClientError,
        ConnectionError,
        NoCredentialsError,
        CredentialRetrievalError,
    ) as error:
        raise StoreUnavailableError(f"{service}: {type(error).__name__}") from None


def status_of(error: ClientError) -> int:
    """The HTTP status of a service's answer; 0 when it has none."""
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status
