"""Diagnoses and medications as a notification lists them: the hospital's, and those read by machine."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from lambdas.common.contracts.findings import (
    ClinicalFindings,
    Finding,
    FindingsOutcome,
    FindingType,
    SetAsideReason,
)
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.visit import CodedText
from lambdas.common.contracts.recipients.preferences import CostMode
from lambdas.delivery.letter.words.locale import Words
from lambdas.delivery.letter.words.unlinked import letter_text

MAX_ROWS = 20
"""Most rows of a list; the number of the others is shown."""

MAX_PLACES = 3
"""Most places that are named for one reason why notes were not read."""

NOT_PAST = frozenset({FindingType.GENERIC, FindingType.BRAND, FindingType.TEST})
"""Types of findings that a list of past conditions and procedures leaves out."""


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One finding of Comprehend Medical: its name and code, further marks, and the words of the note."""

    name: str = field(repr=False)
    code: str = field(repr=False)
    marks: tuple[str, ...] = field(repr=False)
    words: str = field(repr=False)
    place: str
    score: str


def of_hospital(patient_event: PatientEvent, words: Words) -> list[str]:
    """The hospital's own diagnoses (DG1), one line each: text, code, and whether admitting or final."""
    lines = (_diagnosis(diagnosis, words) for diagnosis in patient_event.diagnoses)
    return [line for line in lines if line]


def _diagnosis(diagnosis: CodedText, words: Words) -> str:
    text, code = letter_text(diagnosis.text), letter_text(diagnosis.code, 20)
    marks = [code if text else "", words.diagnosis_types.get(diagnosis.diagnosis_type.upper())]
    mark = ", ".join(part for part in marks if part)
    shown = text or code
    return f"{shown} ({mark})" if shown and mark else shown


def seen_by(clinical: ClinicalFindings, analysis: CostMode) -> ClinicalFindings:
    """The findings that a recipient with this preference sees: all, only conditions and medications, or none of it.

    An event is analysed once, for the richest preference among its recipients.
    """
    if analysis is CostMode.OFF:
        return ClinicalFindings(outcome=FindingsOutcome.SWITCHED_OFF)
    if analysis is CostMode.CODED:
        return replace(clinical, tests=(), procedures=(), apart={})
    return clinical


def by_machine(clinical: ClinicalFindings, words: Words) -> dict[str, list[FindingRow]]:
    """The machine's findings by the section that shows them; only sections that have any.

    Of the findings that are not current it has past ones alone, in a section of their own.
    """
    past = [
        f for f in clinical.apart.get(SetAsideReason.PAST, ()) if f.finding_type not in NOT_PAST
    ]
    sections = {
        "conditions": _listed(clinical.conditions, words, "ICD-10-CM"),
        "medications": _listed(clinical.medications, words, "RxNorm"),
        "tests": _listed(clinical.tests, words),
        "procedures": _listed(clinical.procedures, words),
        "past": _listed(past, words, "ICD-10-CM"),
    }
    return {name: found for name, found in sections.items() if found}


def _listed(findings: Iterable[Finding], words: Words, system: str = "") -> list[FindingRow]:
    """Findings in their order, each once."""
    listed = (_found(finding, words, system) for finding in findings)
    return list(dict.fromkeys(item for item in listed if item.name))


def _found(finding: Finding, words: Words, system: str) -> FindingRow:
    read = letter_text(finding.text)
    name, detail = letter_text(finding.description) or read, letter_text(finding.detail, 120)
    code = letter_text(finding.code, 20)
    marks = (
        words.finding_types.get(finding.finding_type),
        letter_text(finding.acuity, 40),
        letter_text(finding.anatomy, 60),
    )
    return FindingRow(
        name=f"{name}, {detail}" if name and detail else name,
        code=f"{system} {code}" if code else "",
        marks=tuple(mark for mark in marks if mark),
        words=read,
        place=place(finding.field, words),
        score=f"{finding.score:.2f}".replace(".", words.point) if finding.score else "",
    )


def place(of: str, words: Words) -> str:
    """The place of a field like `OBX[2]-5` in words for a reader; "" for another field."""
    segment = re.match(r"([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?-", of)
    if not segment:
        return ""
    said: str = words.places.get(segment[1])
    return said.format(number=segment[2] or "")


def notes_status(clinical: ClinicalFindings, patient_event: PatientEvent, words: Words) -> str:
    """A sentence for notes that were not read, or in part, or without a finding; else ""."""
    said = words.sentences
    if clinical.outcome is FindingsOutcome.SWITCHED_OFF:
        unseen = patient_event.notes or patient_event.skipped_notes
        return str(said.switched_off) if unseen else ""
    why = "; ".join(_skipped(clinical, words))
    why = f"{words.colon} {why}" if why else ""
    if clinical.outcome is FindingsOutcome.EXTRACTED:
        if clinical.not_analysed:
            return str(said.partly_analysed.format(why=why))
        return "" if by_machine(clinical, words) else str(said.nothing_found)
    unread = clinical.outcome in (FindingsOutcome.UNAVAILABLE, FindingsOutcome.NOT_ENGLISH)
    return str(said.not_analysed.format(why=why)) if unread or clinical.not_analysed else ""


def _skipped(clinical: ClinicalFindings, words: Words) -> list[str]:
    """Each reason for which a part was not read, once, with its places."""
    if clinical.outcome is FindingsOutcome.UNAVAILABLE:
        return [words.skipped["service"]]
    places: dict[str, list[str]] = {}
    for gap in clinical.not_analysed:
        places.setdefault(words.skipped.get(gap.reason), []).append(place(gap.position, words))
    named = {reason: list(dict.fromkeys(filter(None, at))) for reason, at in places.items()}
    return [
        f"{reason} ({', '.join(at[:MAX_PLACES])}{', …' if at[MAX_PLACES:] else ''})"
        if at
        else reason
        for reason, at in named.items()
        if reason
    ]
