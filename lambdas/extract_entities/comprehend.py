"""Amazon Comprehend Medical: the whole text through both operations, concurrently, in time."""

from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from botocore.config import Config

from lambdas.common.aws import client, dependency
from lambdas.common.errors import DependencyUnavailableError
from lambdas.extract_entities.chunks import Chunk, chunks

Entity = dict[str, Any]

LIMITS = {"DetectEntitiesV2": 20_000, "InferICD10CM": 10_000}
"""Bytes of text that one request takes, by operation."""

UNIT = 100
"""Characters of a billing unit; every request is at least one (aws.amazon.com/comprehend/medical/pricing)."""

CALLS_AT_ONCE = 10
SECONDS = 7.5
"""All answers must be in by then: the function has nine seconds, and must still write what it found."""

CONFIG = Config(
    connect_timeout=1,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 2},
    max_pool_connections=CALLS_AT_ONCE,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One operation's entities over the whole text, offsets those of the text; units as billed."""

    entities: list[Entity] = field(repr=False)
    model_version: str
    requests: int
    units: int


def analysed(text: str) -> dict[str, Answer]:
    """What each operation of `LIMITS` finds in the text.

    Raises `DependencyUnavailableError` when the service throttles, fails, cannot be reached, or has
    not answered everything within `SECONDS`.
    """
    asked = {operation: chunks(text, limit) for operation, limit in LIMITS.items()}
    comprehend = client("comprehendmedical", CONFIG)
    pool = ThreadPoolExecutor(max_workers=CALLS_AT_ONCE)
    try:
        futures = {
            operation: [pool.submit(_ask, comprehend, operation, piece) for piece in pieces]
            for operation, pieces in asked.items()
        }
        _settle([future for group in futures.values() for future in group])
        return {
            operation: _joined(asked[operation], [future.result() for future in group])
            for operation, group in futures.items()
        }
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _settle(futures: Sequence[Future[dict[str, Any]]]) -> None:
    """Waits for every answer or the first failure; what raised is raised here."""
    done, pending = wait(futures, timeout=SECONDS, return_when=FIRST_EXCEPTION)
    for future in done:
        future.result()
    if pending:
        raise DependencyUnavailableError("comprehendmedical: not all answers came in time")


def _ask(comprehend: Any, operation: str, chunk: Chunk) -> dict[str, Any]:
    with dependency("comprehendmedical"):
        if operation == "DetectEntitiesV2":
            answer: dict[str, Any] = comprehend.detect_entities_v2(Text=chunk.text)
        else:
            answer = comprehend.infer_icd10_cm(Text=chunk.text)
    return answer


def _joined(asked: Sequence[Chunk], answers: Sequence[dict[str, Any]]) -> Answer:
    return Answer(
        entities=[
            _moved(entity, chunk.start)
            for chunk, answer in zip(asked, answers, strict=True)
            for entity in answer["Entities"]
        ],
        model_version=next((a["ModelVersion"] for a in answers if a.get("ModelVersion")), ""),
        requests=len(asked),
        units=sum(max(1, -(-len(chunk.text) // UNIT)) for chunk in asked),
    )


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
