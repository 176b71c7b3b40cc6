"""Reads the numbers of an encounter: visit, account and prior numbers, every repetition, as sent."""

from hl7.er7 import Message, Segment
from lambdas.common.contracts.encounter import EncounterNumbers
from lambdas.parse_message.composites import hierarchic

LOADS = frozenset({"A", "I", "R"})
"""HL7 table 0207 in MSH-11.2: archive, initial load, and restore from archive."""

MAX_NUMBERS = 8
"""Most numbers of one kind that are read. Each costs a look-up."""


def encounter_numbers(message: Message) -> EncounterNumbers:
    """The numbers and marks of the message's encounter; repetitions in any order, each once."""
    pid, pv1, mrg = message.first("PID"), message.first("PV1"), message.first("MRG")
    return EncounterNumbers(
        visit=_numbers(pv1, 19, 50),
        account=_numbers(pid, 18),
        prior_visit=_numbers(mrg, 5, 6),
        prior_account=_numbers(mrg, 3),
        prior_patient=_prior_patients(message),
        protections=_protections(message),
        load=message.first("MSH").part(11, 2).strip().upper() in LOADS,
        said_dead=pid.part(30).strip().upper(),
    )


def _numbers(segment: Segment, *fields: int) -> tuple[str, ...]:
    """CX-1 of every repetition, without blanks around it; leading zeros stay (they are significant)."""
    found = (
        value.component(1).strip() for number in fields for value in segment.repetitions(number)
    )
    return tuple(dict.fromkeys(number for number in found if number))[:MAX_NUMBERS]


def _prior_patients(message: Message) -> tuple[tuple[str, str], ...]:
    """The identifiers of MRG-1, MRG-4 and MRG-2, each with its assigning authority ("" for none)."""
    found = (
        (value.component(1).strip(), namespace or universal_id)
        for mrg in message.all("MRG")
        for number in (1, 4, 2)
        for value in mrg.repetitions(number)
        for namespace, universal_id in [hierarchic(value, 4)]
    )
    return tuple(dict.fromkeys(one for one in found if one[0]))[:MAX_NUMBERS]


def _protections(message: Message) -> tuple[str, ...]:
    """The positions with which the sender protects the encounter (HL7 2.5.1 sections 3.4, 6.5 and 3.4.14)."""
    pv1, pv2, pd1 = message.first("PV1"), message.first("PV2"), message.first("PD1")
    marks = {
        "MSH-8": bool(message.first("MSH").part(8).strip()),
        "PV1-16": bool(pv1.part(16).strip()),
        "PV2-21": bool(pv2.part(21).strip()),
        "PV2-22": _yes(pv2.part(22)),
        "PD1-11": bool(pd1.part(11).strip()),
        "PD1-12": _yes(pd1.part(12)),
        "DG1-18": any(_yes(dg1.part(18)) for dg1 in message.all("DG1")),
        "ARV": any(arv.part(2).strip().upper() != "D" for arv in message.all("ARV")),
    }
    return tuple(position for position, set_ in marks.items() if set_)


def _yes(text: str) -> bool:
    return text.strip().upper() in ("Y", "YES", "1", "TRUE")
