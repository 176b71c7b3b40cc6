"""Finds events with warnings in the audit, newest first.

The index `by_day` has the entries with warnings of a day side by side (`chain.WARNED`), so that a list
reads as many entries as it shows. A sender or a kind is chosen from these.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from hl7.warnings import MessageWarning
from lambdas.common.audit import chain
from lambdas.common.contracts.audit import AuditEntry
from lambdas.common.contracts.document import read_as
from lambdas.common.function.context import Context
from ops.audit.entries import readable
from ops.events import queries
from ops.events.timeline import Entry

MAX_ENTRIES = 100_000
"""Most entries that one list reads: about 80 MB, which DynamoDB answers within a minute."""


@dataclass(frozen=True, slots=True)
class WarnedEvent:
    """An event, and the warnings of its steps in the order of the message's reading. `time` is of the newest."""

    event_id: str
    time: str
    sender: str
    warnings: list[MessageWarning] = field(default_factory=list)

    def kinds(self) -> dict[str, list[str]]:
        """The positions of each kind of warning."""
        found: dict[str, list[str]] = {}
        for one in self.warnings:
            found.setdefault(one.code, []).append(one.position)
        return found


@dataclass(frozen=True, slots=True)
class WarnedEvents:
    """A list of events. `read_until` is the time of the last entry read where the reading was cut, else ""."""

    events: list[WarnedEvent]
    read_until: str = ""


def newest(
    context: Context, limit: int, *, day: str = "", sender: str = "", kind: str = ""
) -> WarnedEvents:
    """Returns at most `limit` events with warnings, newest first.

    `day` is YYYY-MM-DD, "" for the last 14 days. `sender` and `kind` (a warning code) are "" for all.
    Reads `MAX_ENTRIES` entries at most.
    """
    found: dict[str, WarnedEvent] = {}
    for number, entry in enumerate(_entries(context, [day] if day else queries.days_back())):
        if number == MAX_ENTRIES:
            return WarnedEvents(list(found.values()), entry["time"])
        warnings = read_as(AuditEntry, entry).warnings or ()
        if sender and entry.get("sender") != sender:
            continue
        if kind and not any(one.code == kind for one in warnings):
            continue
        event_id = entry["event_id"]
        if event_id not in found and len(found) == limit:
            break
        known = found.setdefault(
            event_id, WarnedEvent(event_id, entry["time"], entry.get("sender", ""))
        )
        # Entries come newest first, and an event may have run more than once.
        known.warnings[:] = dict.fromkeys([*warnings, *known.warnings])
    return WarnedEvents(list(found.values()))


def _entries(context: Context, days: list[str]) -> Iterator[Entry]:
    for day in days:
        for entry in chain.of_day(context, day, chain.WARNED, ScanIndexForward=False):
            yield from readable([entry])
