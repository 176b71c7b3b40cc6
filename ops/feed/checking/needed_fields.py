"""The fields that notifications need, and for each message whether they are filled and readable."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from hl7.er7 import NULL, Message
from hl7.warnings import WarningCode
from lambdas.common.contracts.message.event import PatientEvent
from ops.feed.checking.places import Occurrences, Place
from ops.feed.report.finding import ERROR, INFO, WARNING, Severity

UNREADABLE_CODES = frozenset(
    {WarningCode.NOT_A_TIME, WarningCode.NOT_A_DATE, WarningCode.UNKNOWN_CODE}
)
ENCOUNTERS = frozenset(
    {"A01", "A02", "A03", "A04", "A05", "A06", "A07", "A08", "A11", "A12", "A13"}
)
BEGINS = frozenset({"A01", "A04", "A06"})
ENDS = frozenset({"A03"})
TOLD = BEGINS | ENDS | {"A02", "A07"}
ANY: frozenset[str] = frozenset()
"""Every trigger event."""

SMALL_SHARE = 0.01
"""Fewer missing values are worth a look and no error: a person types some of them."""

Filled = Callable[[Message, PatientEvent], bool]


def _at(*positions: str) -> Filled:
    """Whether one of these fields has a value."""
    found = [(segment, int(number)) for segment, _, number in (p.partition("-") for p in positions)]

    def filled(message: Message, event: PatientEvent) -> bool:
        for segment, number in found:
            sent = message.first(segment).field(number).strip()
            if sent and sent != NULL:
                return True
        return False

    return filled


def _primary_care(message: Message, event: PatientEvent) -> bool:
    return any(one.role == "primary_care" for one in event.practitioners)


def _has_reason(message: Message, event: PatientEvent) -> bool:
    return bool(event.diagnoses or event.visit.reason.text or event.visit.reason.code)


class FieldRule(NamedTuple):
    """A field, the trigger events that need it, and how severe its absence and its unreadability are.

    `without` is the consequence for notifications, `ask` the request to the hospital's interface team.
    """

    position: str
    triggers: frozenset[str]
    filled: Filled
    missing: Severity
    unreadable: Severity
    without: str
    ask: str


_DATED_BY_EVN_2 = "The notification gives the time of recording (EVN-2) as that of the event."

FIELDS = (
    FieldRule(
        "PID-3", ANY, lambda _, e: bool(e.patient.identifiers), ERROR, ERROR,
        "The patient is not found, and nobody is notified.",
        "Send the patient's identifier in PID-3 of every message.",
    ),
    FieldRule(
        "PID-3.4", ANY,
        lambda _, e: bool(e.patient.identifiers)
        and all(i.assigning_authority or i.universal_id for i in e.patient.identifiers if i.field == "PID-3"),
        WARNING, WARNING,
        "The identifier is looked up under `default_assigning_authority`, or not at all.",
        "Name the assigning authority of each identifier in PID-3.4, or confirm the one for all.",
    ),
    FieldRule(
        "PID-5", ANY, _at("PID-5"), WARNING, WARNING,
        "The notification has no name, and the patient's record is not compared by name.",
        "Send the legal name in PID-5.",
    ),
    FieldRule(
        "PID-7", ANY, _at("PID-7"), WARNING, ERROR,
        "The date of birth does not agree with the patient's record: a person has to decide.",
        "Send PID-7 as YYYYMMDD.",
    ),
    FieldRule(
        "PID-8", ANY, _at("PID-8"), INFO, WARNING,
        "The notification does not name the sex.",
        "Send a code of HL7 table 0001 in PID-8, or your table of codes.",
    ),
    FieldRule(
        "PV1-2", ENCOUNTERS, _at("PV1-2"), WARNING, ERROR,
        "The class decides what is told: an unknown one of an A01 counts as an admission.",
        "Send PV1-2 in every message of an encounter, and your table of patient classes.",
    ),
    FieldRule(
        "PV1-3.4", ENCOUNTERS, lambda _, e: bool(e.visit.location.facility), WARNING, WARNING,
        "A transfer to another facility cannot be told from a move to another bed.",
        "Send the facility in PV1-3.4.",
    ),
    FieldRule(
        "PV1-7", TOLD, _at("PV1-7"), WARNING, WARNING,
        "The notification names no attending doctor, and none is notified.",
        "Send the attending doctor with identifier and name in PV1-7.",
    ),
    FieldRule(
        "PV1-19", ENCOUNTERS, _at("PV1-19", "PV1-50"), WARNING, WARNING,
        "Encounters are told apart by the account or the time of admission, less surely.",
        "Send the visit number in PV1-19 of every message of an encounter.",
    ),
    FieldRule(
        "PV1-19 and PID-18", ENCOUNTERS, _at("PV1-19", "PV1-50", "PID-18"), ERROR, WARNING,
        "A cancellation or discharge is matched to the patient's newest encounter.",
        "Send a visit number (PV1-19) or an account number (PID-18).",
    ),
    FieldRule(
        "PV1-36", ENDS, _at("PV1-36"), WARNING, ERROR,
        "Readers are not told how the patient left; a death is told by PID-30 alone.",
        "Send the discharge disposition in PV1-36, and your table of codes with their texts.",
    ),
    FieldRule(
        "PV1-37", ENDS, _at("PV1-37"), INFO, INFO,
        "The facility that takes the patient is not told.",
        "Send the place of discharge in PV1-37 where the patient goes to a facility.",
    ),
    FieldRule(
        "PV1-44", BEGINS, _at("PV1-44"), WARNING, ERROR,
        _DATED_BY_EVN_2,
        "Send the time of admission in PV1-44 as YYYYMMDDHHMM, with an offset.",
    ),
    FieldRule(
        "PV1-45", ENDS, _at("PV1-45"), WARNING, ERROR,
        _DATED_BY_EVN_2,
        "Send the time of discharge in PV1-45 as YYYYMMDDHHMM, with an offset.",
    ),
    FieldRule(
        "EVN-2", ANY, _at("EVN-2"), WARNING, ERROR,
        "Events are put in order by MSH-7, the time of sending.",
        "Send the time of recording in EVN-2.",
    ),
    FieldRule(
        "MSH-7", ANY, _at("MSH-7"), WARNING, ERROR,
        "An event without another time is dated by its receipt.",
        "Send the time of the message in MSH-7.",
    ),
    FieldRule(
        "PD1-4", BEGINS | ENDS, _primary_care, INFO, INFO,
        "The primary care doctor is notified only if the registry names them.",
        "Send the primary care doctor in PD1-4 or in ROL with role PP.",
    ),
    FieldRule(
        "DG1-3 and PV2-3", BEGINS, _has_reason, INFO, INFO,
        "The notification gives no reason for the stay.",
        "Send the reason in PV2-3 or the admitting diagnosis in DG1-3.",
    ),
)  # fmt: skip


@dataclass(slots=True)
class FieldTally:
    """The messages in which a field was expected, missing and unreadable."""

    expected: int = 0
    missing: Occurrences = field(default_factory=Occurrences)
    unreadable: Occurrences = field(default_factory=Occurrences)


@dataclass(slots=True)
class FieldTallies:
    """The tally of each rule of `FIELDS`."""

    by_position: dict[str, FieldTally] = field(
        default_factory=lambda: {rule.position: FieldTally() for rule in FIELDS}
    )

    def add(self, message: Message, event: PatientEvent, place: Place) -> None:
        """Counts the fields of one message."""
        unreadable = {one.position for one in event.warnings if one.code in UNREADABLE_CODES}
        for rule in FIELDS:
            if rule.triggers and event.trigger_event not in rule.triggers:
                continue
            tally = self.by_position[rule.position]
            tally.expected += 1
            if not rule.filled(message, event):
                tally.missing.add(place)
            elif rule.position in unreadable:
                tally.unreadable.add(place)

    def with_rules(self) -> Iterator[tuple[FieldRule, FieldTally]]:
        """Each rule that applied to a message, with its tally."""
        for rule in FIELDS:
            if self.by_position[rule.position].expected:
                yield rule, self.by_position[rule.position]
