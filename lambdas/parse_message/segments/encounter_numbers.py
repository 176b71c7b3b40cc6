"""Reads the numbers of an encounter: visit, account and prior numbers, every repetition, as sent."""

from hl7.er7 import NULL, Message, Segment
from lambdas.common.contracts.encounters.encounter import EncounterNumbers
from lambdas.common.contracts.message.visit import Visit
from lambdas.common.senders import SenderPrivacy
from lambdas.parse_message.segments import protections
from lambdas.parse_message.values.composites import hierarchic

NOT_CURRENT = frozenset({"A", "I", "R"})
"""HL7 table 0207 in MSH-11.2, for messages that are no news: archive, initial load, and restore."""

MAX_NUMBERS = 8
"""Most numbers of one kind that are read. Each costs a look-up."""


def encounter_numbers(message: Message, visit: Visit, privacy: SenderPrivacy) -> EncounterNumbers:
    """The numbers and marks of the message's encounter; repetitions in any order, each once."""
    pid, pv1, mrg = message.first("PID"), message.first("PV1"), message.first("MRG")
    return EncounterNumbers(
        visit=_numbers(pv1, 19, 50),
        account=_numbers(pid, 18),
        prior_visit=_numbers(mrg, 5, 6),
        prior_account=_numbers(mrg, 3),
        prior_patient=_prior_patients(message),
        protections=protections.flags(message, privacy),
        sensitive=protections.sensitive_marks(message, visit, privacy),
        load=message.first("MSH").part(11, 2).strip().upper() in NOT_CURRENT,
        said_dead=NULL if pid.field(30) == NULL else pid.part(30).strip().upper(),
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
