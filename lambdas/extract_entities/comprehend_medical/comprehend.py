"""Calls several operations of Amazon Comprehend Medical for a text, concurrently and within a time limit.

A request that fails does not discard the others' answers: its part of the text is named as not analysed.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from lambdas.common.aws.clients import dependency
from lambdas.common.contracts.message.notes import SkippedReason
from lambdas.common.errors import DependencyUnavailableError
from lambdas.extract_entities.comprehend_medical.chunks import Chunk, chunks
from lambdas.extract_entities.comprehend_medical.operations import LIMITS, METHODS, Operation
from lambdas.extract_entities.context import ExtractContext, Quota

Entity = dict[str, Any]

UNIT = 100
"""Characters of a billing unit; every request is at least one (aws.amazon.com/comprehend/medical/pricing)."""

CALLS_AT_ONCE = 10
ANSWER_SECONDS = 7.5
"""Seconds of a run after which no answer is awaited. The function has nine, and must still write."""

CONFIG = Config(
    connect_timeout=1,
    read_timeout=5,
    # botocore's standard mode waits with exponential backoff and full jitter between attempts.
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=CALLS_AT_ONCE,
)

REFUSED_TEXT = frozenset(
    {"InvalidEncodingException", "InvalidRequestException", "TextSizeLimitExceededException"}
)
"""Errors about the text of one request, of those that the API reference names for each operation."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A part of the text that an operation did not answer; `reason` is `service` or `time`."""

    begin: int
    end: int
    reason: SkippedReason
    code: str = ""


@dataclass(frozen=True, slots=True)
class ComprehendAnswer:
    """One operation's entities, with offsets in the whole text, and the billed units."""

    entities: list[Entity] = field(repr=False)
    model_version: str
    requests: int
    units: int
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True)
class _ChunkRequest:
    """One request, and the monotonic time before which it does not begin."""

    operation: Operation
    chunk: Chunk
    begin: float


class _TooLateError(Exception):
    """A request whose turn is after the end of the run's time."""


def cost(text: str, operations: Sequence[Operation], quota: Quota) -> float:
    """Seconds of the account's quota that the text uses, by the operation that needs most."""
    return max((_begins(text, o, quota)[1] for o in operations), default=0.0)


def analysed(
    context: ExtractContext,
    text: str,
    operations: Sequence[Operation],
    seconds: float,
    after: float = 0.0,
) -> dict[Operation, ComprehendAnswer]:
    """Returns each operation's answer to the text, at the rate of the quota, within `seconds`.

    The first requests begin after `after` seconds, the rest follow in the text's order, so a timeout
    loses the end of the text. Parts without an answer (throttled, failed, unreachable, too slow) are
    in each answer's `missing`, and so are refused ones. Another permanent error of the service is raised.
    """
    begun = time.monotonic()
    until = begun + seconds
    asked = [
        _ChunkRequest(o, chunk, begun + after + begin)
        for o in operations
        for chunk, begin in _begins(text, o, context.settings.quota)[0]
    ]
    asked.sort(key=lambda request: request.begin)
    comprehend = context.client("comprehendmedical", CONFIG)
    pool = ThreadPoolExecutor(max_workers=CALLS_AT_ONCE)
    try:
        futures = [pool.submit(_ask, comprehend, until, request) for request in asked]
        wait(futures, timeout=max(0.0, seconds))
        return {
            operation: _joined(
                [
                    (request.chunk, future)
                    for request, future in zip(asked, futures, strict=True)
                    if request.operation == operation
                ]
            )
            for operation in operations
        }
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _begins(
    text: str, operation: Operation, quota: Quota
) -> tuple[list[tuple[Chunk, float]], float]:
    """Each chunk with the second at which its request may begin, and the time when the quota is free again."""
    begins, next_begin = [], 0.0
    for chunk in chunks(text, LIMITS[operation]):
        begins.append((chunk, next_begin))
        next_begin += quota.seconds_for(len(chunk.text))
    return begins, next_begin


def _ask(comprehend: Any, until: float, request: _ChunkRequest) -> dict[str, Any]:
    if request.begin >= until:
        raise _TooLateError
    time.sleep(max(0.0, request.begin - time.monotonic()))
    with dependency("comprehendmedical"):
        answer: dict[str, Any] = getattr(comprehend, METHODS[request.operation])(
            Text=request.chunk.text
        )
    return answer


def _joined(asked: Sequence[tuple[Chunk, Future[dict[str, Any]]]]) -> ComprehendAnswer:
    entities: list[Entity] = []
    missing: list[Missing] = []
    version, units, requests = "", 0, 0
    for chunk, future in asked:
        answer = _answer(future, chunk)
        if isinstance(answer, Missing):
            missing.append(answer)
            continue
        requests += 1
        units += max(1, -(-len(chunk.text) // UNIT))
        version = version or answer.get("ModelVersion", "")
        entities += [_moved(entity, chunk.start) for entity in answer["Entities"]]
    return ComprehendAnswer(entities, version, requests, units, tuple(missing))


def _answer(future: Future[dict[str, Any]], chunk: Chunk) -> dict[str, Any] | Missing:
    """The answer, or the missing part: no answer came, or the text was refused."""
    begin, end = chunk.start, chunk.start + len(chunk.text)
    if not future.done():
        return Missing(begin, end, SkippedReason.TIME)
    try:
        return future.result()
    except _TooLateError:
        return Missing(begin, end, SkippedReason.TIME)
    except DependencyUnavailableError as error:
        return Missing(begin, end, SkippedReason.SERVICE, str(error).rpartition(": ")[2])
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in REFUSED_TEXT:
            raise
        return Missing(begin, end, SkippedReason.SERVICE, code)


def _moved(entity: Entity, offset: int) -> Entity:
    """The entity and its attributes with offsets of the whole text."""
    moved = {
        **entity,
        "BeginOffset": entity["BeginOffset"] + offset,
        "EndOffset": entity["EndOffset"] + offset,
    }
    if "Attributes" in entity:
        moved["Attributes"] = [_moved(attribute, offset) for attribute in entity["Attributes"]]
    return moved
