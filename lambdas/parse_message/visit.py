"""Reads the encounter from PV1, PV2 and DG1, and the practitioners named in the message."""

from collections.abc import Iterator
from dataclasses import replace

from hl7.er7 import Message, Value
from hl7.timestamps import Times
from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.models import CodedText, Practitioner, Visit
from lambdas.parse_message.composites import coded_text, location, practitioner
from lambdas.parse_message.rules import PATIENT_CLASSES

ADMISSION_TYPES = frozenset({"A", "C", "E", "L", "N", "R", "U"})
DIAGNOSIS_TYPES = frozenset({"A", "F", "W"})
OTHER = "other"

PV1_ROLES = {7: "attending", 17: "admitting", 8: "referring", 9: "consulting"}
ROL_ROLES = {
    "AT": "attending",
    "AD": "admitting",
    "RP": "referring",
    "CP": "consulting",
    "PP": "primary_care",
    "FHCP": "primary_care",
}
"""The roles of HL7 table 0443 that this system uses."""


def visit(message: Message, times: Times, warnings: list[MessageWarning]) -> Visit:
    """The encounter of the message; an empty one without PV1."""
    pv1, pv2 = message.first("PV1"), message.first("PV2")
    return Visit(
        patient_class=_known(pv1.part(2), PATIENT_CLASSES, "PV1-2", warnings),
        admission_type=_known(pv1.part(4), ADMISSION_TYPES, "PV1-4", warnings),
        location=location(pv1.first(3)),
        prior_location=location(pv1.first(6)),
        visit_number=pv1.first(19).component(1),
        admitted_at=times.time(pv1.part(44), "PV1-44"),
        discharged_at=times.time(pv1.part(45), "PV1-45"),
        disposition=coded_text(pv1.first(36)),
        discharged_to=pv1.part(37),
        reason=coded_text(pv2.first(3)),
        facility_name=message.first("EVN").part(7) or pv2.part(23),
    )


def facility_changed(message: Message, warnings: list[MessageWarning]) -> bool:
    """Whether the patient left one facility for another (PV1-6.4, PV1-3.4); False where one is not given."""
    pv1 = message.first("PV1")
    now, before = pv1.first(3), pv1.first(6)
    for subcomponent in (1, 2):
        here, there = (value.part(4, subcomponent).strip().upper() for value in (now, before))
        if here and there:
            return here != there
    warnings.append(MessageWarning(WarningCode.FACILITY_MISSING, "PV1-3.4 and PV1-6.4"))
    return False


def practitioners(message: Message) -> tuple[Practitioner, ...]:
    """The practitioners named in PV1, PD1-4 and ROL, in every version.

    PD1-4 is withdrawn from 2.7 and ROL came with 2.4; senders fill both in all versions.
    """
    found: dict[tuple[str, ...], Practitioner] = {}
    for value, role, field in _named(message):
        person = practitioner(value, role, field)
        if person:
            found.setdefault(_same(person), person)
    return tuple(found.values())


def _same(person: Practitioner) -> tuple[str, ...]:
    if person.identifier:
        return person.role, person.identifier, person.assigning_authority
    return person.role, person.name.family, person.name.given


def _named(message: Message) -> Iterator[tuple[Value, str, str]]:
    pv1, pd1 = message.first("PV1"), message.first("PD1")
    for number, role in PV1_ROLES.items():
        for value in pv1.repetitions(number):
            yield value, role, f"PV1-{number}"
    for value in pd1.repetitions(4):
        yield value, "primary_care", "PD1-4"
    for rol in message.all("ROL"):
        role = ROL_ROLES.get(rol.part(3).upper(), "")
        # ROL-2 `DE` ends the person's role (table 0287).
        if role and rol.part(2).upper() != "DE":
            for value in rol.repetitions(4):
                yield value, role, f"ROL[{rol.ordinal}]-4"


def diagnoses(message: Message) -> tuple[CodedText, ...]:
    """The diagnoses of DG1-3; text and system from DG1-4 and DG1-2 when DG1-3 lacks them (before 2.6)."""
    found = []
    for dg1 in message.all("DG1"):
        kind = dg1.part(6).upper()
        diagnosis = coded_text(dg1.first(3), kind if kind in DIAGNOSIS_TYPES else "")
        diagnosis = replace(
            diagnosis,
            text=diagnosis.text or dg1.part(4),
            system=diagnosis.system or dg1.part(2),
        )
        if diagnosis.code or diagnosis.text:
            found.append(diagnosis)
    return tuple(found)


def _known(code: str, codes: frozenset[str], position: str, warnings: list[MessageWarning]) -> str:
    """The code in upper case; `other` for one outside the table, because it enters the workflow's state."""
    code = code.strip().upper()
    if not code or code in codes:
        return code
    warnings.append(MessageWarning(WarningCode.UNKNOWN_CODE, position))
    return OTHER
