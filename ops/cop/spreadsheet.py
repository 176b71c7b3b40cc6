"""The events of the report as CSV, one row for each event."""

from collections.abc import Iterable
from typing import TextIO

from ops.cop.events import EventRecord
from ops.output import write_csv

COLUMNS = ("event_id", "event_kind", "outcome", "reasons", "event_time", "received_at", "mailed_at")


def write(events: Iterable[EventRecord], out: TextIO) -> None:
    """Writes a heading and one row for each event. `event_id` is what `ens trace` takes."""
    write_csv(COLUMNS, map(_cells, events), out)


def _cells(one: EventRecord) -> tuple[str, ...]:
    reasons = "; ".join(one.reasons)
    times = (one.event_time, one.received_at, one.mailed_at)
    return (one.event_id, one.kind, one.outcome, reasons, *times)
