"""Finds the items that no verification of a period reads: those without a day, and heads without entries.

A verification of a period finds events by the index `by_day`, by the digests and by the status table. An
item that lacks a key attribute of the index is in none of them, so the table itself is read, in parts. A
Scan that is divided assigns an item to its part by its partition key, so a part has whole events.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html#Scan.ParallelScan
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from lambdas.common.audit.canonical import HEAD
from lambdas.common.audit.checks import Verdict
from lambdas.common.audit.digests import DigestBucket
from lambdas.common.audit.forms import day_of, form_fault
from lambdas.common.audit.verification import newest_day, verify_events
from lambdas.common.aws.clients import dependency
from lambdas.common.aws.items import Item, from_item
from lambdas.common.function.context import Context

PARTS = 28
"""Parts of the table: VerifyAudit reads one a day, so that an item is read within four weeks."""

MAX_VERIFIED = 1000
"""Most suspect events of a part that are verified one by one; more are counted."""


@dataclass(frozen=True, slots=True)
class PartVerdict:
    """Result of reading a part of the table. `first_day` and `last_day` are "" where it has no entry.

    `faulty` are the events with an item that no period has. `more` is the number of suspect events that
    were not verified, because the part has more than `MAX_VERIFIED`.
    """

    events: int
    entries: int
    first_day: str = ""
    last_day: str = ""
    faulty: list[Verdict] = field(default_factory=list)
    more: int = 0


def part_of(day: str) -> int:
    """The number of the part that VerifyAudit reads on a day."""
    return date.fromisoformat(day).toordinal() % PARTS


def verify_part(context: Context, digests: DigestBucket, part: int) -> PartVerdict:
    """Reads one of `PARTS` parts of the audit table, and verifies each event that has a suspect item."""
    newest = newest_day()
    heads: set[str] = set()
    with_entries: set[str] = set()
    suspects: set[str] = set()
    days: set[str] = set()
    entries = 0
    for item in _items(context, part):
        event_id = str(item["event_id"])
        if item["sk"] == HEAD:
            heads.add(event_id)
            continue
        entries += 1
        with_entries.add(event_id)
        days.add(day_of(item))
        # The scan leaves out `seq`: the index has entries with a wrong number, so that a period finds them.
        if form_fault(item, newest):
            suspects.add(event_id)
    suspects |= heads - with_entries
    chosen = sorted(suspects)[:MAX_VERIFIED]
    found = verify_events(context, digests, digests.days() if chosen else [], chosen)
    days.discard("")
    return PartVerdict(
        events=len(heads | with_entries),
        entries=entries,
        first_day=min(days, default=""),
        last_day=max(days, default=""),
        faulty=[verdict for verdict in found if not verdict.holds],
        more=len(suspects) - len(chosen),
    )


def _items(context: Context, part: int) -> Iterator[Item]:
    pages = context.client("dynamodb").get_paginator("scan")
    with dependency("dynamodb"):
        for page in pages.paginate(
            TableName=context.settings.audit_table,
            Segment=part,
            TotalSegments=PARTS,
            ProjectionExpression="event_id, sk, #day, #time, outcome_time",
            ExpressionAttributeNames={"#day": "day", "#time": "time"},
        ):
            yield from map(from_item, page["Items"])
