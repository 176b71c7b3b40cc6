"""From the texts of an event to its clinical findings, and what they cost."""

from dataclasses import dataclass, field, replace

from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.models import ClinicalFindings, PatientEvent, Unread
from lambdas.extract_entities import comprehend, kept, notes
from lambdas.extract_entities.comprehend import Answer
from lambdas.extract_entities.findings import found, without_known
from lambdas.extract_entities.language import is_english, languages
from lambdas.extract_entities.notes import Piece, Reading, reading
from lambdas.extract_entities.settings import COST_MODES, cache_days, rate, text_limit


@dataclass(frozen=True, slots=True)
class Extraction:
    """The findings, and what the service was asked: units billed and requests by operation.

    `from_cache` counts the operations that a kept analysis answered.
    """

    findings: ClinicalFindings
    units: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    from_cache: int = 0


def extract(event: PatientEvent, cost_mode: str, seconds: float) -> Extraction:
    """The conditions, medications, tests and procedures in what the event says in words.

    Asks nothing where the mode is `off` (outcome `switched_off`), nothing is written
    (`nothing_to_read`), nothing of it is English (`not_english`), or the same text was analysed
    before. The hospital's own diagnoses are among the findings in any case. Raises
    `DependencyUnavailableError` when the service answers nothing at all; what was not read, or not
    answered within `seconds`, is named in `not_analysed`.
    """
    base = ClinicalFindings(outcome="", hospital=event.diagnoses, cost_mode=cost_mode)
    if cost_mode == "off":
        return Extraction(replace(base, outcome="switched_off"))
    pieces, unread = notes.sources(event)
    english, others = _english(pieces, event.language)
    fitting, too_long = notes.fitting(english, text_limit())
    base = replace(base, not_analysed=(*unread, *others, *too_long))
    text = reading(fitting)
    if not text.text:
        return Extraction(replace(base, outcome="not_english" if others else "nothing_to_read"))
    answers, asked = _answers(text.text, cost_mode, seconds)
    return Extraction(
        findings=_findings(base, text, {**answers, **asked}),
        units={operation: answer.units for operation, answer in asked.items()},
        requests=sum(answer.requests for answer in asked.values()),
        from_cache=len(answers),
    )


def _english(pieces: list[Piece], declared: str) -> tuple[list[Piece], list[Unread]]:
    spoken = list(zip(pieces, languages(pieces, declared), strict=True))
    return (
        [piece for piece, language in spoken if is_english(language)],
        [Unread(p.place, "language", lang) for p, lang in spoken if not is_english(lang)],
    )


def _answers(
    text: str, cost_mode: str, seconds: float
) -> tuple[dict[str, Answer], dict[str, Answer]]:
    """The answers that were kept, and those that had to be asked for, when there is any at all."""
    operations = COST_MODES[cost_mode]
    known = {operation: kept.kept(text, operation, cache_days()) for operation in operations}
    answers = {operation: answer for operation, answer in known.items() if answer}
    open_ones = [operation for operation in operations if operation not in answers]
    asked = comprehend.analysed(text, open_ones, rate(), seconds)
    if not answers and not any(answer.requests for answer in asked.values()):
        codes = [gap.code for answer in asked.values() for gap in answer.missing]
        why = next(filter(None, codes), "no answer came in time")
        raise DependencyUnavailableError(f"comprehendmedical: {why}")
    for operation, answer in asked.items():
        kept.keep(text, operation, answer, cache_days())
    return answers, asked


def _findings(
    base: ClinicalFindings, text: Reading, answers: dict[str, Answer]
) -> ClinicalFindings:
    entities = {operation: answer.entities for operation, answer in answers.items()}
    result = found(
        text,
        entities.get("DetectEntitiesV2", []),
        entities.get("InferICD10CM", []),
        entities.get("InferRxNorm", []),
    )
    return replace(
        base,
        outcome="extracted",
        conditions=without_known(result.conditions, base.hospital),
        medications=result.medications,
        tests=result.tests,
        procedures=result.procedures,
        apart=result.apart,
        set_aside=result.set_aside,
        model_versions={operation: answer.model_version for operation, answer in answers.items()},
        not_analysed=(*base.not_analysed, *_unanswered(text, answers)),
    )


def _unanswered(text: Reading, answers: dict[str, Answer]) -> list[Unread]:
    """Each field of which an operation did not answer a stretch, with why."""
    gaps = {
        Unread(field, gap.reason, f"{operation} {gap.code}".strip()): None
        for operation, answer in answers.items()
        for gap in answer.missing
        for field in text.fields_in(gap.begin, gap.end)
    }
    return list(gaps)
