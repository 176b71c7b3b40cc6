"""Who the patient is: PID."""

import re
from dataclasses import replace

from lambdas.common.models import Name, Patient, PatientIdentifier
from lambdas.parse_message.composites import person_name
from lambdas.parse_message.er7 import Message, Segment, Value
from lambdas.parse_message.times import Times

IDENTIFIER_FIELDS = (3, 2, 4)
"""PID-3, and where older senders put identifiers: PID-2 (external), PID-4 (alternate)."""


def patient(message: Message, times: Times, warnings: list[str]) -> Patient:
    """The patient of the message, identifiers and numbers exactly as sent."""
    pid = message.first("PID")
    died_at = times.time(pid.part(29), "PID-29")
    said_dead = pid.part(30).strip().upper()
    return Patient(
        identifiers=_identifiers(pid, warnings),
        name=_name(pid),
        birth_date=times.date(pid.part(7), "PID-7"),
        sex=pid.part(8).strip().upper(),
        phones=tuple(value.text() for n in (13, 14) for value in pid.repetitions(n)),
        account_number=pid.identifier(18),
        died_at=died_at,
        died=said_dead == "Y" or (bool(died_at) and said_dead != "N"),
    )


def _identifiers(pid: Segment, warnings: list[str]) -> tuple[PatientIdentifier, ...]:
    found = [
        identifier
        for number in IDENTIFIER_FIELDS
        for value in pid.repetitions(number)
        if (identifier := _identifier(value, f"PID-{number}", warnings)).value
    ]
    if not found:
        warnings.append("PID-3, PID-2 and PID-4 are empty")
    return tuple(found)


def _identifier(value: Value, field: str, warnings: list[str]) -> PatientIdentifier:
    identifier = PatientIdentifier(
        value=value.identifier(),
        assigning_authority=value.part(4),
        universal_id=value.part(4, 2),
        identifier_type=value.part(5),
        field=field,
    )
    check_digit = value.part(2)
    if re.fullmatch(r"\d*[^\d]?", check_digit) or value.part(3):
        return identifier
    # Some senders write id^authority: a check digit is a number or one letter, and has a scheme.
    warnings.append(f"{field}.2 is no check digit; read as the assigning authority")
    return replace(identifier, assigning_authority=check_digit, universal_id="")


def _name(pid: Segment) -> Name:
    """The legal name (XPN-7 `L`) where one is marked, else the first that is not an alias."""
    values = pid.repetitions(5)
    legal = [value for value in values if value.part(7).upper() == "L"]
    others = [value for value in values if value.part(7).upper() != "A"]
    chosen = legal or others or values
    return person_name(chosen[0]) if chosen else Name()
