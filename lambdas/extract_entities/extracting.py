"""Extracts the clinical findings of an event's texts, and counts their cost."""

import time
from dataclasses import dataclass, field, replace

from lambdas.common.contracts.findings import ClinicalFindings, FindingsOutcome
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.notes import Skipped, SkippedReason
from lambdas.common.contracts.recipients.preferences import CostMode
from lambdas.common.errors import DependencyUnavailableError
from lambdas.extract_entities.comprehend_medical import cache, comprehend, turns
from lambdas.extract_entities.comprehend_medical.comprehend import ComprehendAnswer
from lambdas.extract_entities.comprehend_medical.operations import COST_MODES, Operation
from lambdas.extract_entities.context import ExtractContext
from lambdas.extract_entities.findings import found, without_known
from lambdas.extract_entities.notes import notes
from lambdas.extract_entities.notes.language import is_english, languages
from lambdas.extract_entities.notes.notes import Piece, Reading, reading


@dataclass(frozen=True, slots=True)
class Extraction:
    """The findings, and the requests and billed units by operation.

    `from_cache` counts the operations answered from the cache.
    """

    findings: ClinicalFindings
    units: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    from_cache: int = 0


@dataclass(frozen=True, slots=True)
class ServiceSlot:
    """The event's turn at the service, in seconds since the epoch; `at` is 0 before it has one.

    If it has no turn by `latest`, the event goes on without findings.
    """

    at: float
    latest: float


@dataclass(frozen=True, slots=True)
class Deferral:
    """The event's turn is at `at`; the workflow waits `seconds` for it."""

    at: float
    seconds: int


def extract(
    context: ExtractContext,
    event: PatientEvent,
    cost_mode: CostMode,
    seconds: float,
    turn: ServiceSlot,
) -> Extraction | Deferral:
    """Returns the conditions, medications, tests and procedures in the event's texts.

    No request is made when the answers are cached, or with one of these outcomes: the stay is protected
    (`protected`), the mode is `off` (`switched_off`), there is no text (`nothing_to_read`), or no text is
    English (`not_english`). The hospital's own diagnoses are always included. Parts that were not read,
    or not answered within `seconds`, are in `not_analysed`. Returns a `Deferral` when requests have to wait
    for the account's quota; the outcome is `unavailable` when no turn comes in time, or the service refuses
    the text. Raises `DependencyUnavailableError` when the service answers no request.
    """
    base = ClinicalFindings(
        FindingsOutcome.NOTHING_TO_READ, hospital=event.diagnoses, cost_mode=cost_mode
    )
    if event.marks:
        return Extraction(replace(base, outcome=FindingsOutcome.PROTECTED, cost_mode=CostMode.OFF))
    if cost_mode is CostMode.OFF:
        return Extraction(replace(base, outcome=FindingsOutcome.SWITCHED_OFF))
    pieces, skipped = notes.sources(event)
    english, others = _english(context, pieces, event.language)
    fitting, too_long = notes.fitting(english, context.settings.text_limit)
    base = replace(base, not_analysed=(*skipped, *others, *too_long))
    text = reading(fitting)
    if not text.text:
        return Extraction(replace(base, outcome=FindingsOutcome.NOT_ENGLISH) if others else base)
    cached = cache.cached(context, text.text)
    operations = COST_MODES[cost_mode]
    known = {o: cached.answers[o] for o in operations if o in cached.answers}
    open_ones = [operation for operation in operations if operation not in known]
    begin = _turn(context, text.text, open_ones, turn)
    if begin is not None and (wait := turns.workflow_wait(begin, time.time())):
        return Deferral(begin, wait)
    asked = _asked(context, text.text, open_ones, seconds, begin)
    cache.store(context, text.text, cached, asked)
    if not known and not any(answer.requests for answer in asked.values()):
        if begin is None or _is_refused(asked):
            gaps = (*base.not_analysed, *_unanswered(text, asked))
            none = replace(base, outcome=FindingsOutcome.UNAVAILABLE, not_analysed=gaps)
            return Extraction(none)
        raise DependencyUnavailableError(f"comprehendmedical: {_why(asked)}")
    return Extraction(
        findings=_findings(base, text, {**known, **asked}),
        units={operation: answer.units for operation, answer in asked.items()},
        requests=sum(answer.requests for answer in asked.values()),
        from_cache=len(known),
    )


def _english(
    context: ExtractContext, pieces: list[Piece], declared: str
) -> tuple[list[Piece], list[Skipped]]:
    """The pieces that are sent, and those in another language."""
    english, others = [], []
    for piece, language in zip(pieces, languages(context.detector, pieces, declared), strict=True):
        if is_english(language):
            english.append(piece)
        else:
            others.append(Skipped(piece.place, SkippedReason.LANGUAGE, language))
    return english, others


def _turn(
    context: ExtractContext, text: str, operations: list[Operation], turn: ServiceSlot
) -> float | None:
    """The time from which requests may begin; None when that would be too late."""
    if turn.at or not operations:
        return turn.at
    return turns.take(
        context, comprehend.cost(text, operations, context.settings.quota), time.time(), turn.latest
    )


def _asked(
    context: ExtractContext,
    text: str,
    operations: list[Operation],
    seconds: float,
    begin: float | None,
) -> dict[Operation, ComprehendAnswer]:
    """The operations' answers. Without a turn no request is made."""
    after = max(0.0, begin - time.time()) if begin is not None else 0.0
    in_time = seconds if begin is not None else 0.0
    return comprehend.analysed(context, text, operations, in_time, after)


def _is_refused(answers: dict[Operation, ComprehendAnswer]) -> bool:
    """Whether the service refused every part of the text, as it would again."""
    return all(
        gap.code in comprehend.REFUSED_TEXT for answer in answers.values() for gap in answer.missing
    )


def _why(answers: dict[Operation, ComprehendAnswer]) -> str:
    """The first error code of the service."""
    codes = [gap.code for answer in answers.values() for gap in answer.missing]
    return next(filter(None, codes), "no answer came in time")


def _findings(
    base: ClinicalFindings, text: Reading, answers: dict[Operation, ComprehendAnswer]
) -> ClinicalFindings:
    entities = {operation: answer.entities for operation, answer in answers.items()}
    result = found(
        text,
        entities.get(Operation.DETECT_ENTITIES, []),
        entities.get(Operation.INFER_ICD10CM, []),
        entities.get(Operation.INFER_RXNORM, []),
    )
    return replace(
        base,
        outcome=FindingsOutcome.EXTRACTED,
        conditions=without_known(result.conditions, base.hospital),
        medications=result.medications,
        tests=result.tests,
        procedures=result.procedures,
        apart=result.apart,
        set_aside=result.set_aside,
        model_versions={operation: answer.model_version for operation, answer in answers.items()},
        not_analysed=(*base.not_analysed, *_unanswered(text, answers)),
    )


def _unanswered(text: Reading, answers: dict[Operation, ComprehendAnswer]) -> list[Skipped]:
    """Each field with a part that an operation did not answer, and the reason."""
    gaps = {
        Skipped(field, gap.reason, f"{operation} {gap.code}".strip()): None
        for operation, answer in answers.items()
        for gap in answer.missing
        for field in text.fields_in(gap.begin, gap.end)
    }
    return list(gaps)
