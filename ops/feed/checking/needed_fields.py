"""The fields that notifications need, and for each message whether they are filled and readable."""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from hl7.er7 import NULL, Message
from hl7.warnings import WarningCode
from lambdas.common.contracts.message.event import PatientEvent
from ops.feed.checking.places import Occurrences, Place
from ops.feed.report.finding import Severity

UNREADABLE_CODES = frozenset(
    {WarningCode.NOT_A_TIME, WarningCode.NOT_A_DATE, WarningCode.UNKNOWN_CODE}
)
BEGINS = frozenset({"A01", "A04", "A06"})
EVENTS: dict[str, frozenset[str]] = {
    "all": frozenset(),
    "encounters": BEGINS | {"A02", "A03", "A05", "A07", "A08", "A11", "A12", "A13"},
    "begins": BEGINS,
    "ends": frozenset({"A03"}),
    "begins or ends": BEGINS | {"A03"},
    "told": BEGINS | {"A02", "A03", "A07"},
}
"""Trigger events by their name in needed_fields.toml; an empty set is every trigger event."""

SMALL_SHARE = 0.01
"""Fewer missing values are worth a look and no error: a person types some of them."""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """A field that notifications need, as needed_fields.toml describes it."""

    position: str
    missing: Severity
    unreadable: Severity
    without: str
    ask: str
    events: str = "all"
    filled_by: tuple[str, ...] = ()


_FILE = Path(__file__).with_name("needed_fields.toml")
FIELDS = msgspec.convert(tomllib.loads(_FILE.read_text("utf-8"))["fields"], tuple[FieldRule, ...])


def _names_authorities(event: PatientEvent) -> bool:
    found = event.patient.identifiers
    sent = (one for one in found if one.field == "PID-3")
    return bool(found) and all(one.assigning_authority or one.universal_id for one in sent)


def _has_reason(event: PatientEvent) -> bool:
    return bool(event.diagnoses or event.visit.reason.text or event.visit.reason.code)


_IN_EVENT: dict[str, Callable[[PatientEvent], bool]] = {
    "PID-3": lambda event: bool(event.patient.identifiers),
    "PID-3.4": _names_authorities,
    "PV1-3.4": lambda event: bool(event.visit.location.facility),
    "PD1-4": lambda event: any(one.role == "primary_care" for one in event.practitioners),
    "DG1-3 and PV2-3": _has_reason,
}
"""Whether a field is filled, for those that the event tells better than the message."""


def _is_filled(rule: FieldRule, message: Message, event: PatientEvent) -> bool:
    if rule.position in _IN_EVENT:
        return _IN_EVENT[rule.position](event)
    return any(_is_sent(message, position) for position in rule.filled_by or (rule.position,))


def _is_sent(message: Message, position: str) -> bool:
    segment, _, number = position.partition("-")
    return message.first(segment).field(int(number)).strip() not in ("", NULL)


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
            triggers = EVENTS[rule.events]
            if triggers and event.trigger_event not in triggers:
                continue
            tally = self.by_position[rule.position]
            tally.expected += 1
            if not _is_filled(rule, message, event):
                tally.missing.add(place)
            elif rule.position in unreadable:
                tally.unreadable.add(place)

    def with_rules(self) -> Iterator[tuple[FieldRule, FieldTally]]:
        """Each rule that applied to a message, with its tally."""
        for rule in FIELDS:
            if self.by_position[rule.position].expected:
                yield rule, self.by_position[rule.position]
