"""Reads the entries of a sender's month for the report, by the index `by_day`, and no event by itself.

A day's entries are one partition. DynamoDB leaves out the entries of other senders and the members that the
report does not read; days are read side by side (docs/adr/0287-report-reads-the-index-by-day.md). Only
events that are not settled or not decided have their chain read: their mail may have gone later.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lambdas.common.audit import chain
from lambdas.delivery.ledger.context import LedgerContext
from ops.audit.entries import readable
from ops.aws_calls import READERS
from ops.cop.events import ACTIONS, MEMBERS, EventFold, EventRecord
from ops.events.long_reads import entries, long_reads
from ops.events.timeline import Entry
from ops.period import Period

LATER = timedelta(days=1)
"""Read after the month: the mails of its last hours, and most summaries of the day after."""


def events_of(
    context: LedgerContext, sender: str, month: Period
) -> tuple[list[EventRecord], dict[str, str]]:
    """Returns the notifiable events that were received in the month, and the errors of unread messages by id."""
    last = min(month.until + LATER, datetime.now(UTC).date())
    fold = EventFold()
    with ThreadPoolExecutor(READERS) as readers:
        days = Period(month.since, max(last, month.since)).days()
        client = long_reads(context)
        for of_day in readers.map(lambda day: _of_day(context, client, sender, day), days):
            for entry in readable(of_day):
                fold.add(entry)
        records = fold.records()
        open_ = [one for one in records.values() if not one.settled]
        later = [one.event_id for one in open_ if month.holds(one.received_at)]
        later += fold.undecided()
        whole = EventFold()
        for of_event in readers.map(lambda event_id: chain.entries(context, event_id), later):
            for entry in readable(of_event):
                whole.add(entry)
    records |= whole.records()
    found = [one for one in records.values() if month.holds(one.received_at)]
    unread = {
        event_id: error
        for event_id, (received_at, error) in whole.undecided().items()
        if month.holds(received_at)
    }
    return sorted(found, key=lambda one: (one.received_at, one.event_id)), unread


def month_of(text: str) -> Period:
    """Returns the days of a month YYYY-MM. Raises `ValueError` for another text."""
    first = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return Period(first, following - timedelta(days=1))


def _of_day(context: LedgerContext, client: Any, sender: str, day: str) -> list[Entry]:
    """The entries of a day that decide outcomes: those of the sender, and SES's reports, which name none."""
    actions = {f":a{n}": str(action) for n, action in enumerate(ACTIONS)}
    return list(
        entries(
            client,
            context.settings.audit_table,
            "#day = :day",
            {**actions, ":day": day, ":sender": sender},
            IndexName="by_day",
            FilterExpression=(
                f"#action IN ({', '.join(actions)})"
                " AND (sender = :sender OR attribute_not_exists(sender))"
            ),
            ProjectionExpression=", ".join(f"#{name}" for name in MEMBERS),
        )
    )
