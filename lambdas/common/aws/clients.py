"""AWS clients, made once, and the one place where their failures become ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, IncompleteReadError

from lambdas.common.errors import DependencyUnavailableError

# Short waits and few tries of its own: patience is the workflow's (its Retry, then the queue).
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


@cache
def client(service: str, config: Config = CONFIG) -> Any:
    """The boto3 client of a service, one for the life of the function."""
    return boto3.client(service, config=config)


def is_transient(error: ClientError) -> bool:
    """Whether a service's answer means "later": throttling by its code, or any 5xx."""
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code in TRANSIENT_CODES or status == 429 or status >= 500


@contextmanager
def dependency(service: str) -> Iterator[None]:
    """Turns what means "not now" into `DependencyUnavailableError`; everything else passes unchanged.

    Its text is the service, the operation and the code, none of which a sender controls.
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
