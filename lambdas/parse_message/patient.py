"""Reads the patient from PID, and the other patients of a merge, link or unlink from MRG or a second PID."""

import itertools
import re
from dataclasses import replace

from hl7.er7 import Message, Segment, Value
from hl7.timestamps import Times
from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.models import Name, Patient, PatientIdentifier
from lambdas.parse_message.composites import person_name

IDENTIFIER_FIELDS = {
    # PID-3, and fields of older versions for identifiers: PID-2 (external), PID-4 (alternate).
    "PID": (3, 2, 4),
    # The prior ones; MRG-4 was PID-2, MRG-2 was PID-4.
    "MRG": (1, 4, 2),
}

MOST = 200
"""Most identifiers of other patients that are read from one message."""


def patient(message: Message, times: Times, warnings: list[MessageWarning]) -> Patient:
    """The patient of the message, with identifiers and numbers exactly as sent."""
    pid = message.first("PID")
    identifiers = _identifiers(pid, warnings)
    if not identifiers:
        warnings.append(MessageWarning(WarningCode.EMPTY, "PID-3"))
    died_at = times.time(pid.part(29), "PID-29")
    said_dead = pid.part(30).strip().upper()
    return Patient(
        identifiers=tuple(identifiers),
        name=_name(pid),
        birth_date=times.date(pid.part(7), "PID-7"),
        sex=pid.part(8).strip().upper(),
        phones=tuple(value.text() for n in (13, 14) for value in pid.repetitions(n)),
        account_number=pid.first(18).component(1),
        died_at=died_at,
        died=said_dead == "Y" or (bool(died_at) and said_dead != "N"),
    )


def other_identifiers(
    message: Message, warnings: list[MessageWarning]
) -> tuple[PatientIdentifier, ...]:
    """The identifiers of MRG and of every further PID and MRG, exactly as sent; `MOST` at most."""
    further = [segment for segment in message.beyond if segment.name in IDENTIFIER_FIELDS]
    found = (
        identifier
        for segment in (*message.all("MRG"), *further)
        for identifier in _identifiers(segment, warnings)
    )
    return tuple(itertools.islice(found, MOST))


def _identifiers(segment: Segment, warnings: list[MessageWarning]) -> list[PatientIdentifier]:
    return [
        identifier
        for number in IDENTIFIER_FIELDS[segment.name]
        for value in segment.repetitions(number)
        if (identifier := _identifier(value, f"{segment.name}-{number}", warnings)).value
    ]


def _identifier(value: Value, field: str, warnings: list[MessageWarning]) -> PatientIdentifier:
    identifier = PatientIdentifier(
        value=value.component(1),
        assigning_authority=value.part(4),
        universal_id=value.part(4, 2),
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
    legal = [value for value in values if value.part(7).upper() == "L"]
    others = [value for value in values if value.part(7).upper() != "A"]
    chosen = legal or others or values
    return person_name(chosen[0]) if chosen else Name()
