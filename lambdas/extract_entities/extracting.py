"""From the notes of an event to its clinical findings, and what they cost."""

from dataclasses import dataclass, field

from lambdas.common.models import ClinicalFindings, PatientEvent
from lambdas.extract_entities import comprehend
from lambdas.extract_entities.findings import found
from lambdas.extract_entities.notes import reading


@dataclass(frozen=True, slots=True)
class Extraction:
    """The findings, and what the service was asked: units billed and requests by operation."""

    findings: ClinicalFindings
    units: dict[str, int] = field(default_factory=dict)
    requests: int = 0


def extract(event: PatientEvent, cost_mode: str) -> Extraction:
    """The conditions and medications in the event's notes.

    Asks nothing where the mode is `off` (outcome `switched_off`) or no note says anything
    (`nothing_to_read`). Raises `DependencyUnavailableError` when the service does not answer.
    """
    if cost_mode == "off":
        return Extraction(ClinicalFindings(outcome="switched_off"))
    notes = reading(event.notes)
    if not notes.text:
        return Extraction(ClinicalFindings(outcome="nothing_to_read"))
    answers = comprehend.analysed(notes.text)
    result = found(notes, answers["DetectEntitiesV2"].entities, answers["InferICD10CM"].entities)
    return Extraction(
        findings=ClinicalFindings(
            outcome="extracted",
            conditions=result.conditions,
            medications=result.medications,
            set_aside=result.set_aside,
            model_versions={
                operation: answer.model_version for operation, answer in answers.items()
            },
        ),
        units={operation: answer.units for operation, answer in answers.items()},
        requests=sum(answer.requests for answer in answers.values()),
    )
