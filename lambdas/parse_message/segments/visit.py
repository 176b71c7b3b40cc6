"""Reads the encounter from PV1, PV2 and DG1, and the practitioners named in the message."""

from collections.abc import Iterator
from dataclasses import replace

from hl7.death import is_nubc
from hl7.er7 import Message, Value
from hl7.tables import DISCHARGE_STATUSES
from hl7.timestamps import Times
from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.message.practitioner import Practitioner, PractitionerRole
from lambdas.common.contracts.message.visit import CodedText, Visit
from lambdas.common.senders import SenderCodes
from lambdas.parse_message.values.codes import (
    ADMISSION_TYPES,
    DIAGNOSIS_TYPES,
    PATIENT_CLASSES,
    by_words,
    read_code,
)
from lambdas.parse_message.values.composites import (
    coded_text,
    hierarchic,
    location,
    practitioner,
    unrepeated,
)

PV1_ROLES = {
    7: PractitionerRole.ATTENDING,
    17: PractitionerRole.ADMITTING,
    8: PractitionerRole.REFERRING,
    9: PractitionerRole.CONSULTING,
}
DELETED = "D"
"""DG1-21, table 0206: the segment deletes the diagnosis."""

ROL_ROLES = {
    "AT": PractitionerRole.ATTENDING,
    "AD": PractitionerRole.ADMITTING,
    "RP": PractitionerRole.REFERRING,
    "CP": PractitionerRole.CONSULTING,
    "PP": PractitionerRole.PRIMARY_CARE,
    "FHCP": PractitionerRole.PRIMARY_CARE,
}
"""The roles of HL7 table 0443 that this system uses."""


def visit(
    message: Message, times: Times, codes: SenderCodes, warnings: list[MessageWarning]
) -> Visit:
    """The encounter of the message; an empty one without PV1."""
    pv1, pv2 = message.first("PV1"), message.first("PV2")
    return Visit(
        patient_class=read_code(
            pv1.first(2), PATIENT_CLASSES, codes.patient_classes, "PV1-2", warnings
        ),
        admission_type=read_code(
            pv1.first(4), ADMISSION_TYPES, codes.admission_types, "PV1-4", warnings
        ),
        location=location(pv1.first(3), codes),
        prior_location=location(pv1.first(6), codes),
        visit_number=pv1.first(19).component(1).strip(),
        admitted_at=times.time(pv1.part(44), "PV1-44"),
        discharged_at=times.time(pv1.part(45), "PV1-45"),
        disposition=_disposition(unrepeated(pv1, 36, warnings, first_code=False), codes, warnings),
        discharged_to=_discharged_to(unrepeated(pv1, 37, warnings)),
        reason=coded_text(unrepeated(pv2, 3, warnings)),
        facility_name=unrepeated(message.first("EVN"), 7, warnings).part(1)
        or hierarchic(pv2.first(23), 1)[0],
    )


def _disposition(value: Value, codes: SenderCodes, warnings: list[MessageWarning]) -> CodedText:
    """PV1-36 as sent, with the text of the sender's table where the message has none."""
    sent = coded_text(value)
    if mapped := codes.dispositions.get(sent.code.strip()):
        return replace(sent, text=sent.text or mapped.text)
    known = sent.code.strip() in DISCHARGE_STATUSES and (not sent.system or is_nubc(sent.system))
    if sent.code and not known:
        warnings.append(MessageWarning(WarningCode.UNKNOWN_CODE, "PV1-36"))
    return sent


def _discharged_to(value: Value) -> str:
    """The place in PV1-37, a DLD: its code, or the text that DLD-1 has as a coded entry since 2.6."""
    whole, code, text = value.part(1), value.part(1, 1), value.part(1, 2)
    is_coded = text and " " not in code and not text.startswith(" ")
    return text if is_coded else whole


def names_facilities(message: Message) -> bool:
    """Whether PV1-3.4 and PV1-6.4 both name a facility, by the same part of the HD."""
    pv1 = message.first("PV1")
    now, before = hierarchic(pv1.first(3), 4), hierarchic(pv1.first(6), 4)
    return any(here.strip() and there.strip() for here, there in zip(now, before, strict=True))


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


def _named(message: Message) -> Iterator[tuple[Value, PractitionerRole, str]]:
    pv1, pd1 = message.first("PV1"), message.first("PD1")
    for number, role in PV1_ROLES.items():
        for value in pv1.repetitions(number):
            yield value, role, f"PV1-{number}"
    for value in pd1.repetitions(4):
        yield value, PractitionerRole.PRIMARY_CARE, "PD1-4"
    for rol in message.all("ROL"):
        named = ROL_ROLES.get(rol.code(3).upper())
        # ROL-2 `DE` ends the person's role (table 0287).
        if named and rol.code(2).upper() != "DE":
            for value in rol.repetitions(4):
                yield value, named, f"ROL[{rol.ordinal}]-4"


def diagnoses(message: Message, warnings: list[MessageWarning]) -> tuple[CodedText, ...]:
    """The diagnoses of DG1-3; text and system from DG1-4 and DG1-2 when DG1-3 lacks them (before 2.6).

    A diagnosis that the message deletes (DG1-21, since 2.5) is none.
    """
    found = []
    for dg1 in message.all("DG1"):
        if dg1.code(21).upper() == DELETED:
            continue
        diagnosis_type = dg1.code(6).upper()
        if diagnosis_type not in DIAGNOSIS_TYPES.codes:
            diagnosis_type = by_words(dg1.part(6), DIAGNOSIS_TYPES) or by_words(
                dg1.part(6, 2), DIAGNOSIS_TYPES
            )
        diagnosis = coded_text(unrepeated(dg1, 3, warnings), diagnosis_type)
        diagnosis = replace(
            diagnosis,
            text=diagnosis.text or unrepeated(dg1, 4, warnings).part(1),
            system=diagnosis.system or dg1.part(2),
        )
        if diagnosis.code or diagnosis.text:
            found.append(diagnosis)
    return tuple(found)
