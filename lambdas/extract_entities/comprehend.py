"""Amazon Comprehend Medical: the whole text through several operations, concurrently, in time.

What one request cannot answer does not take away what the others did: it is named as not analysed.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
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
"""All answers must be in by then: the function has nine seconds, and must still write what it found."""

CONFIG = Config(
    connect_timeout=1,
    read_timeout=5,
    # botocore's standard mode waits with exponential backoff and full jitter between attempts.
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=CALLS_AT_ONCE,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One operation's entities over the text, offsets those of the text; units as billed.

    `missing` says for how many of its requests no answer came, and why.
    """

    entities: list[Entity] = field(repr=False)
    model_version: str
    requests: int
    units: int
    missing: tuple[str, ...] = ()


class _Pace:
    """Lets at most so many calls a second begin."""

    def __init__(self, rate: float) -> None:
        self._between = 1 / rate
        self._lock = Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Returns when it is the caller's turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._between
        if turn > now:
            time.sleep(turn - now)


def analysed(text: str, operations: Sequence[str], rate: float) -> dict[str, Answer]:
    """What each operation finds in the text, at `rate` requests a second.

    Raises `DependencyUnavailableError` when the service has not answered any request: then it
    throttles, fails, cannot be reached, or is slower than `SECONDS`.
    """
    asked = {operation: chunks(text, LIMITS[operation]) for operation in operations}
    comprehend = client("comprehendmedical", CONFIG)
    pace = _Pace(rate)
    pool = ThreadPoolExecutor(max_workers=CALLS_AT_ONCE)
    try:
        futures = {
            operation: [pool.submit(_ask, comprehend, pace, operation, piece) for piece in pieces]
            for operation, pieces in asked.items()
        }
        wait([future for group in futures.values() for future in group], timeout=SECONDS)
        answers = {
            operation: _joined(operation, asked[operation], group)
            for operation, group in futures.items()
        }
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    reasons = [reason for answer in answers.values() for reason in answer.missing]
    if reasons and not any(answer.requests for answer in answers.values()):
        raise DependencyUnavailableError(reasons[0])
    return answers


def _ask(comprehend: Any, pace: _Pace, operation: str, chunk: Chunk) -> dict[str, Any]:
    pace.wait()
    with dependency("comprehendmedical"):
        answer: dict[str, Any] = getattr(comprehend, METHODS[operation])(Text=chunk.text)
    return answer


def _joined(
    operation: str, asked: Sequence[Chunk], futures: Sequence[Future[dict[str, Any]]]
) -> Answer:
    entities: list[Entity] = []
    missing: list[str] = []
    version, units, requests = "", 0, 0
    for chunk, future in zip(asked, futures, strict=True):
        try:
            answer = _answer(future)
        except DependencyUnavailableError as error:
            missing.append(str(error))
            continue
        requests += 1
        units += max(1, -(-len(chunk.text) // UNIT))
        version = version or answer.get("ModelVersion", "")
        entities += [_moved(entity, chunk.start) for entity in answer["Entities"]]
    return Answer(entities, version, requests, units, tuple(missing))


def _answer(future: Future[dict[str, Any]]) -> dict[str, Any]:
    """The answer; `DependencyUnavailableError` for one that did not come or that the text's size forbade."""
    if not future.done():
        raise DependencyUnavailableError("comprehendmedical: not all answers came in time")
    try:
        return future.result()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code != "TextSizeLimitExceededException":
            raise
        raise DependencyUnavailableError(f"comprehendmedical: {code}") from None


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
