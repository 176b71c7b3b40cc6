"""From the texts of an event to its clinical findings, and what they cost."""

from dataclasses import dataclass, field, replace

from lambdas.common.models import ClinicalFindings, PatientEvent
from lambdas.extract_entities import comprehend, kept
from lambdas.extract_entities.findings import found
from lambdas.extract_entities.language import is_english
from lambdas.extract_entities.notes import Reading, reading, sources
from lambdas.extract_entities.settings import COST_MODES, cache_days, rate


@dataclass(frozen=True, slots=True)
class Extraction:
    """The findings, and what the service was asked: units billed and requests by operation."""

    findings: ClinicalFindings
    units: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    from_cache: bool = False


def extract(event: PatientEvent, cost_mode: str) -> Extraction:
    """The conditions, medications, tests and procedures in what the event says in words.

    Asks nothing where the mode is `off` (outcome `switched_off`), nothing is written
    (`nothing_to_read`), it is not English (`not_english`), or the same text was analysed before. The
    hospital's own diagnoses are among the findings in any case. Raises `DependencyUnavailableError`
    when the service answers nothing at all; what it leaves out is named in `not_analysed`.
    """
    base = ClinicalFindings(outcome="", hospital=event.diagnoses, cost_mode=cost_mode)
    if cost_mode == "off":
        return Extraction(replace(base, outcome="switched_off"))
    text = reading(sources(event))
    if not text.text:
        return Extraction(replace(base, outcome="nothing_to_read"))
    if not is_english(text.text):
        return Extraction(replace(base, outcome="not_english", not_analysed=("not English",)))
    key = kept.key_of(text.text, cost_mode)
    answers = kept.kept(key, cache_days())
    if answers is not None:
        return Extraction(_findings(base, text, answers), from_cache=True)
    answers = comprehend.analysed(text.text, COST_MODES[cost_mode], rate())
    kept.keep(key, answers, cache_days())
    return Extraction(
        findings=_findings(base, text, answers),
        units={operation: answer.units for operation, answer in answers.items()},
        requests=sum(answer.requests for answer in answers.values()),
    )


def _findings(
    base: ClinicalFindings, text: Reading, answers: dict[str, comprehend.Answer]
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
        conditions=result.conditions,
        medications=result.medications,
        tests=result.tests,
        procedures=result.procedures,
        apart=result.apart,
        set_aside=result.set_aside,
        model_versions={operation: answer.model_version for operation, answer in answers.items()},
        not_analysed=tuple(
            f"{operation}: {reason}"
            for operation, answer in answers.items()
            for reason in dict.fromkeys(answer.missing)
        ),
    )
