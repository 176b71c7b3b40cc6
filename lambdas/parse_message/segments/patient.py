"""Reads the patient from PID, and the other patients of a merge, link or unlink from MRG or a second PID."""

import itertools
import re
from dataclasses import replace

from hl7.death import Evidence
from hl7.er7 import Message, Segment, Value
from hl7.timestamps import Times
from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.message.patient import Patient, PatientIdentifier
from lambdas.common.contracts.message.person import Name
from lambdas.common.senders import SenderCodes
from lambdas.parse_message.segments.death import DeathVerdict
from lambdas.parse_message.values.codes import OTHER, SEXES, read_code
from lambdas.parse_message.values.composites import hierarchic, person_name

IDENTIFIER_FIELDS = {
    # PID-3, and fields of older versions for identifiers: PID-2 (external), PID-4 (alternate).
    "PID": (3, 2, 4),
    # The prior ones; MRG-4 was PID-2, MRG-2 was PID-4.
    "MRG": (1, 4, 2),
}

CURRENT = frozenset({"L", "CURRENT", "OFFICIAL", "LEGAL"})
FORMER = frozenset(
    {"A", "ALIAS", "B", "M", "MAIDEN", "PREVIOUS", "FORMER", "OLD", "NICKNAME", "N", "S"}
)
"""Name types (HL7 table 0200) that are legal, and those that are not the present name; also in words."""

MAX_FURTHER_IDENTIFIERS = 200
"""Most identifiers of other patients that are read from one message."""


def patient(
    message: Message,
    times: Times,
    codes: SenderCodes,
    death: DeathVerdict,
    warnings: list[MessageWarning],
) -> Patient:
    """The patient of the message, with identifiers and numbers exactly as sent."""
    pid = message.first("PID")
    identifiers = _identifiers(pid, warnings)
    if not identifiers:
        warnings.append(MessageWarning(WarningCode.EMPTY, "PID-3"))
    born = pid.part(7).strip()
    birth_date = times.date(born, "PID-7")
    sex = read_code(pid.first(8), SEXES, codes.sexes, "PID-8", warnings)
    return Patient(
        identifiers=tuple(identifiers),
        name=_name(pid),
        birth_date=birth_date,
        # Texts outside the table are shown to readers as they are.
        sex=pid.code(8).upper() if sex == OTHER else sex,
        phones=tuple(value.text() for n in (13, 14) for value in pid.repetitions(n)),
        account_number=pid.first(18).component(1),
        died_at=death.died_at,
        died=death.evidence is Evidence.CLEAR,
        birth_date_unreadable=bool(born) and not birth_date,
    )


def other_identifiers(
    message: Message, warnings: list[MessageWarning]
) -> tuple[PatientIdentifier, ...]:
    """The identifiers of MRG and of every further PID and MRG, exactly as sent; `MAX_FURTHER_IDENTIFIERS` at most."""
    further = [segment for segment in message.beyond if segment.name in IDENTIFIER_FIELDS]
    found = (
        identifier
        for segment in (*message.all("MRG"), *further)
        for identifier in _identifiers(segment, warnings)
    )
    return tuple(itertools.islice(found, MAX_FURTHER_IDENTIFIERS))


def identifiers_of(message: Message) -> tuple[PatientIdentifier, ...]:
    """The identifiers of the first PID, exactly as sent."""
    return tuple(_identifiers(message.first("PID"), []))


def _identifiers(segment: Segment, warnings: list[MessageWarning]) -> list[PatientIdentifier]:
    return [
        identifier
        for number in IDENTIFIER_FIELDS[segment.name]
        for value in segment.repetitions(number)
        if (identifier := _identifier(value, f"{segment.name}-{number}", warnings)).value
    ]


def _identifier(value: Value, field: str, warnings: list[MessageWarning]) -> PatientIdentifier:
    namespace, universal_id = hierarchic(value, 4)
    identifier = PatientIdentifier(
        value=value.component(1),
        assigning_authority=namespace,
        universal_id=universal_id,
        identifier_type=value.part(5),
        field=field,
    )
    check_digit = value.part(2)
    if re.fullmatch(r"\d*[^\d]?", check_digit) or value.part(3):
        return identifier
    # Some senders write id^authority: a check digit is a number or one letter, and has a scheme.
    warnings.append(MessageWarning(WarningCode.NO_CHECK_DIGIT, f"{field}.2"))
    return replace(identifier, assigning_authority=check_digit, universal_id="")


def _name(pid: Segment) -> Name:
    """The legal name (XPN-7 `L`) if one is marked, else the first that is not an alias."""
    values = pid.repetitions(5)
    legal = [value for value in values if value.code(7).upper() in CURRENT]
    others = [value for value in values if value.code(7).upper() not in FORMER]
    chosen = legal or others or values
    return person_name(chosen[0]) if chosen else Name()
