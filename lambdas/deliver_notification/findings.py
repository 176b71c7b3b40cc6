"""Diagnoses and medications as a notification lists them: the hospital's, and those read by machine."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lambdas.common.models import ClinicalFindings, CodedText, Finding, PatientEvent
from lambdas.deliver_notification.clean import clean
from lambdas.deliver_notification.wording import DIAGNOSIS_KINDS

MOST = 20
"""The longest list that is shown; the rest is counted, not dropped in silence."""

NOT_ANALYSED = (
    "The notes in the hospital's message were not analysed. They may name diagnoses and"
    " medications that are not listed here."
)
NOTHING_FOUND = (
    "The notes in the hospital's message were read by machine; it found nothing to list."
)


@dataclass(frozen=True, slots=True)
class Found:
    """One condition or medication that was read by machine, and the words it was read from."""

    name: str = field(repr=False)
    code: str = field(repr=False)
    words: str = field(repr=False)


def of_hospital(patient_event: PatientEvent) -> list[str]:
    """The hospital's own diagnoses (DG1), one line each: text, code, and whether admitting or final."""
    return [line for line in map(_diagnosis, patient_event.diagnoses) if line]


def _diagnosis(diagnosis: CodedText) -> str:
    text, code = clean(diagnosis.text), clean(diagnosis.code, 20)
    marks = [code if text else "", DIAGNOSIS_KINDS.get(diagnosis.kind.upper(), "")]
    mark = ", ".join(part for part in marks if part)
    shown = text or code
    return f"{shown} ({mark})" if shown and mark else shown


def found(findings: Iterable[Finding]) -> list[Found]:
    """Machine findings as they are listed, in their order, each once."""
    listed = (_found(finding) for finding in findings)
    return list(dict.fromkeys(item for item in listed if item.name))


def _found(finding: Finding) -> Found:
    words = clean(finding.text)
    name = clean(finding.description) or words
    detail = clean(finding.detail, 80)
    return Found(f"{name}, {detail}" if name and detail else name, clean(finding.code, 20), words)


def notes_status(clinical: ClinicalFindings, patient_event: PatientEvent) -> str:
    """A sentence on what became of the notes where nothing is listed; "" where there is nothing to say."""
    if clinical.outcome == "unavailable":
        return NOT_ANALYSED
    if clinical.outcome == "switched_off":
        return NOT_ANALYSED if patient_event.notes else ""
    if clinical.outcome == "extracted" and not (clinical.conditions or clinical.medications):
        return NOTHING_FOUND
    return ""
