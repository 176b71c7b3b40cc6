"""Makes AWS clients, and translates their failures into this system's errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)

from lambdas.common.errors import DependencyUnavailableError

# Short timeouts, two tries: the workflow's Retry and then the queue repeat the call.
CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 2},
)

TRANSIENT_CODES = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class Clients:
    """The boto3 clients of one process, each made at its first use, by one thread at a time.

    A client may be shared by threads, the session that makes it may not.
    https://boto3.amazonaws.com/v1/documentation/api/latest/guide/clients.html
    `fakes` are answered instead of boto3's, by service name.
    """

    def __init__(self, **fakes: Any) -> None:
        self._fakes = fakes
        self._made: dict[tuple[str, Config], Any] = {}
        self._making = Lock()

    def get(self, service: str, config: Config = CONFIG) -> Any:
        """The client of a service with this botocore configuration."""
        if service in self._fakes:
            return self._fakes[service]
        with self._making:
            if (service, config) not in self._made:
                made = boto3.client(service, config=config)
                made.meta.events.register(
                    "response-received", _require_whole_body, "ens-whole-body"
                )
                self._made[service, config] = made
            return self._made[service, config]


def _require_whole_body(response_dict: dict[str, Any] | None, **_: Any) -> None:
    """Raises `ResponseStreamingError` where the connection was cut inside the body of an answer.

    botocore does not compare its length (`enforce_content_length=False` in its `httpsession.py`), and reads
    JSON that is cut off as an answer without members.
    """
    if response_dict is None or response_dict["context"]["operation_name"].startswith("Head"):
        return
    body, length = response_dict["body"], int(response_dict["headers"].get("content-length", 0))
    if isinstance(body, bytes) and len(body) < length:
        raise ResponseStreamingError(error=f"{len(body)} of {length} bytes")


class HasClients(Protocol):
    """A context that gives the boto3 client of a service."""

    def client(self, service: str) -> Any:
        """The client."""


def is_transient(error: ClientError) -> bool:
    """Whether an error is transient: throttling by its code, status 429 or 5xx.

    Boto3 documentation, "Retries", standard retry mode.
    """
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code in TRANSIENT_CODES or status == 429 or status >= 500


@contextmanager
def dependency(service: str) -> Iterator[None]:
    """Raises `DependencyUnavailableError` for transient failures; other exceptions pass unchanged.

    Its text holds service, operation and code, which no sender controls.
    """
    try:
        yield
    except ClientError as error:
        if not is_transient(error):
            raise
        code = error.response.get("Error", {}).get("Code", "5xx")
        raise DependencyUnavailableError(f"{service} {error.operation_name}: {code}") from None
    except (HTTPClientError, ConnectionError, IncompleteReadError) as error:
        raise DependencyUnavailableError(f"{service}: {type(error).__name__}") from None
