"""Amazon Comprehend Medical: the whole text through several operations, concurrently, in time.

What one request cannot answer does not take away what the others did: it is named as not analysed.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from lambdas.common.aws import client, dependency
from lambdas.common.errors import DependencyUnavailableError
from lambdas.extract_entities.chunks import Chunk, chunks

Entity = dict[str, Any]

LIMITS = {"DetectEntitiesV2": 20_000, "InferICD10CM": 10_000, "InferRxNorm": 10_000}
"""Bytes of text that one request takes, by operation."""

METHODS = {
    "DetectEntitiesV2": "detect_entities_v2",
    "InferICD10CM": "infer_icd10_cm",
    "InferRxNorm": "infer_rx_norm",
}

UNIT = 100
"""Characters of a billing unit; every request is at least one (aws.amazon.com/comprehend/medical/pricing)."""

CALLS_AT_ONCE = 10
SECONDS = 7.5
"""After so many seconds of a run no answer is waited for: the function has nine, and must still write."""

CONFIG = Config(
    connect_timeout=1,
    read_timeout=5,
    # botocore's standard mode waits with exponential backoff and full jitter between attempts.
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=CALLS_AT_ONCE,
)


@dataclass(frozen=True, slots=True)
class Missing:
    """A stretch of the text that an operation did not answer; `reason` is `service` or `time`."""

    begin: int
    end: int
    reason: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One operation's entities over the text, offsets those of the text; units as billed."""

    entities: list[Entity] = field(repr=False)
    model_version: str
    requests: int
    units: int
    missing: tuple[Missing, ...] = ()


class _TooLateError(Exception):
    """A request whose turn comes after the run's time is over."""


class _Pace:
    """Lets `rate` calls a second begin, and a second's worth of them at once after a pause."""

    def __init__(self, rate: float) -> None:
        self._between = 1 / rate
        self._ahead = self._between * (max(1, int(rate)) - 1)
        self._lock = Lock()
        self._next = 0.0

    def wait(self, until: float) -> None:
        """Returns when it is the caller's turn; `_TooLateError` when that is after `until`."""
        with self._lock:
            now = time.monotonic()
            place = max(self._next, now)
            turn = place - self._ahead
            if turn >= until:
                raise _TooLateError
            self._next = place + self._between
        if turn > now:
            time.sleep(turn - now)


@cache
def _pace(rate: float) -> _Pace:
    """The pace of this function, kept from one event to the next."""
    return _Pace(rate)


def analysed(
    text: str, operations: Sequence[str], rate: float, seconds: float
) -> dict[str, Answer]:
    """What each operation finds in the text, at `rate` requests a second, within so many seconds.

    Requests go out in the text's order, so that where time runs out it is the end that is missing.
    What the service does not answer, because it throttles, fails, cannot be reached or is too slow,
    is in each answer's `missing`; a refusal that no retry mends is raised.
    """
    until = time.monotonic() + seconds
    asked = [(o, chunk) for o in operations for chunk in chunks(text, LIMITS[o])]
    asked.sort(key=lambda pair: pair[1].start)
    comprehend, pace = client("comprehendmedical", CONFIG), _pace(rate)
    pool = ThreadPoolExecutor(max_workers=CALLS_AT_ONCE)
    try:
        futures = [pool.submit(_ask, comprehend, pace, until, *pair) for pair in asked]
        wait(futures, timeout=max(0.0, seconds))
        return {
            operation: _joined(
                [
                    (chunk, future)
                    for (asked_of, chunk), future in zip(asked, futures, strict=True)
                    if asked_of == operation
                ]
            )
            for operation in operations
        }
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _ask(
    comprehend: Any, pace: _Pace, until: float, operation: str, chunk: Chunk
) -> dict[str, Any]:
    pace.wait(until)
    with dependency("comprehendmedical"):
        answer: dict[str, Any] = getattr(comprehend, METHODS[operation])(Text=chunk.text)
    return answer


def _joined(asked: Sequence[tuple[Chunk, Future[dict[str, Any]]]]) -> Answer:
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
    return Answer(entities, version, requests, units, tuple(missing))


def _answer(future: Future[dict[str, Any]], chunk: Chunk) -> dict[str, Any] | Missing:
    """The answer, or what is missing: one that did not come, or that the text's size forbade."""
    begin, end = chunk.start, chunk.start + len(chunk.text)
    if not future.done():
        return Missing(begin, end, "time")
    try:
        return future.result()
    except _TooLateError:
        return Missing(begin, end, "time")
    except DependencyUnavailableError as error:
        return Missing(begin, end, "service", str(error).rpartition(": ")[2])
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code != "TextSizeLimitExceededException":
            raise
        return Missing(begin, end, "service", code)


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
