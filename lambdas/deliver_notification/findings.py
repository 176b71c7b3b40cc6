"""Diagnoses and medications as a notification lists them: the hospital's, and those read by machine."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lambdas.common.models import ClinicalFindings, CodedText, Finding, PatientEvent
from lambdas.deliver_notification.clean import clean
from lambdas.deliver_notification.words import Words

MOST = 20
"""The longest list that is shown; the rest is counted, not dropped in silence."""


@dataclass(frozen=True, slots=True)
class Found:
    """One condition or medication that was read by machine, and the words it was read from."""

    name: str = field(repr=False)
    code: str = field(repr=False)
    words: str = field(repr=False)


def of_hospital(patient_event: PatientEvent, words: Words) -> list[str]:
    """The hospital's own diagnoses (DG1), one line each: text, code, and whether admitting or final."""
    lines = (_diagnosis(diagnosis, words) for diagnosis in patient_event.diagnoses)
    return [line for line in lines if line]


def _diagnosis(diagnosis: CodedText, words: Words) -> str:
    text, code = clean(diagnosis.text), clean(diagnosis.code, 20)
    marks = [code if text else "", words.diagnosis_kinds.get(diagnosis.kind.upper())]
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


def notes_status(clinical: ClinicalFindings, patient_event: PatientEvent, words: Words) -> str:
    """A sentence on what became of the notes where they were not read whole or nothing is listed, else ""."""
    if clinical.outcome in ("unavailable", "not_english"):
        return str(words.sentences.not_analysed)
    if clinical.outcome == "switched_off":
        return str(words.sentences.not_analysed) if patient_event.notes else ""
    if clinical.not_analysed:
        return str(words.sentences.partly_analysed)
    if clinical.outcome == "extracted" and not (clinical.conditions or clinical.medications):
        return str(words.sentences.nothing_found)
    return ""
