"""Makes an AWS service refuse, throttle or go silent, below botocore's own retries."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSResponse


class AnswerBody:
    """The raw side of an answer, as botocore reads it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self, **_: Any) -> Iterator[bytes]:
        """The body in one piece."""
        yield self._data


@contextmanager
def refusing(
    client: Any, operation: str, code: str, status: int = 400, times: int = 1_000
) -> Iterator[list[str]]:
    """For its duration `client` gets this error `times` times; yields the operations refused so far.

    An attempt that botocore makes by itself counts too. The service has done its work all the same,
    only its answer is lost: `declining` is for one that has not.
    """
    refused: list[str] = []

    def refuse(**_: Any) -> AWSResponse | None:
        if len(refused) >= times:
            return None
        refused.append(operation)
        body = json.dumps({"__type": code, "message": "refused by a test"}).encode()
        headers = {"content-type": "application/x-amz-json-1.0"}
        return AWSResponse("http://refused.example", status, headers, AnswerBody(body))

    yield from _on(client, f"before-send.*.{operation}", refuse, refused)


@contextmanager
def declining(
    client: Any, operation: str, code: str, status: int = 400, times: int = 1_000
) -> Iterator[list[str]]:
    """As `refusing`, but the request never reaches the service, and botocore does not try again."""
    declined: list[str] = []

    def decline(**_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
        if len(declined) >= times:
            return None
        declined.append(operation)
        parsed = {
            "Error": {"Code": code, "Message": "declined by a test"},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        return AWSResponse("http://declined.example", status, {}, AnswerBody(b"")), parsed

    yield from _on(client, f"before-call.*.{operation}", decline, declined)


@contextmanager
def breaking(client: Any, operation: str, error: Exception) -> Iterator[list[str]]:
    """For its duration every call of the operation ends in `error`, a botocore HTTP error."""
    broken: list[str] = []

    def fail(**_: Any) -> None:
        broken.append(operation)
        raise error

    yield from _on(client, f"before-send.*.{operation}", fail, broken)


def _on(client: Any, event: str, hook: Any, seen: list[str]) -> Iterator[list[str]]:
    client.meta.events.register_first(event, hook)
    try:
        yield seen
    finally:
        client.meta.events.unregister(event, hook)
