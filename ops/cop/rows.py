"""The events of the report as rows of CSV, one for each event."""

import csv
from collections.abc import Iterable
from typing import TextIO

from ops.cop.events import EventRecord

COLUMNS = ("event_id", "event_kind", "outcome", "reasons", "event_time", "received_at", "mailed_at")


def write(events: Iterable[EventRecord], out: TextIO) -> None:
    """Writes a heading and one row for each event. `event_id` is what `ens trace` takes."""
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for one in events:
        reasons = "; ".join(one.reasons)
        times = (one.event_time, one.received_at, one.mailed_at)
        rows.writerow((one.event_id, one.kind, one.outcome, reasons, *times))
