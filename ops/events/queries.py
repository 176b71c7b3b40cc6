"""Queries of the status and audit tables for lists of events."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import click

from lambdas.common.audit import chain
from lambdas.common.aws.item_reads import query, read_item
from lambdas.common.aws.items import Item
from lambdas.common.contracts.audit import AuditOutcome, AuditStep
from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.workflow.status import StatusItem
from lambdas.common.errors import ContractError
from lambdas.common.function.context import Context
from lambdas.delivery.ledger.context import LedgerContext
from ops.audit.entries import is_moment
from ops.output import one_line

DAYS_BACK = 14
"""Days that a list covers: SQS keeps a dead letter for at most 14 days."""


def days_back() -> list[str]:
    """Returns the days that a list covers as YYYY-MM-DD in UTC, today first."""
    today = datetime.now(UTC).date()
    return [(today - timedelta(days=back)).isoformat() for back in range(DAYS_BACK + 1)]


def events_of_control_id(context: LedgerContext, message_control_id: str) -> list[str]:
    """Returns the ids of the events with this MSH-10, newest first. Senders reuse control ids."""
    hits = chain.query(
        context,
        "message_control_id = :id",
        {":id": message_control_id},
        IndexName="by_message_control_id",
        ScanIndexForward=False,
    )
    return list(dict.fromkeys(hit["event_id"] for hit in hits))


def failed_events(context: LedgerContext) -> list[str]:
    """Returns the ids of the events that failed within the last 14 days, newest failure first."""
    found: dict[str, None] = {}
    for day in days_back():
        failures = chain.of_day(
            context,
            day,
            AuditOutcome.FAILED,
            {":step": AuditStep.RECORD_FAILURE},
            FilterExpression="step = :step",
            ScanIndexForward=False,
        )
        found.update(dict.fromkeys(failure["event_id"] for failure in failures))
    return list(found)


def statuses_of(
    context: LedgerContext, day: str, state: str = "", sender: str = ""
) -> Iterator[StatusItem]:
    """Yields the status items of a day (UTC), newest first; only those in `state` and of `sender` if not ""."""
    wanted = {name: text for name, text in (("status", state), ("sender", sender)) if text}
    yield from filter(None, map(_read, _items_of(context, day, wanted)))


def processed_on(context: LedgerContext, day: str) -> list[str]:
    """Returns the ids of the events with a status of this day (UTC), whatever else their items hold."""
    return [item["event_id"] for item in _items_of(context, day, {})]


def status_of(context: Context, event_id: str) -> StatusItem | None:
    """Returns the event's status item, None for an unknown event and for a damaged item."""
    item = read_item(context, context.settings.status_table, {"event_id": event_id})
    return _read(item) if item else None


def _read(item: Item) -> StatusItem | None:
    """The item as its contract; one of another form is named on stderr."""
    try:
        found = read_as(StatusItem, item)
        if not is_moment(found.updated_at):
            raise ContractError("StatusItem: updated_at is no moment")
    except ContractError as fault:
        said = f"Left out: the status of event {item['event_id']}, which is damaged ({fault})."
        click.echo(one_line(said), err=True)
        return None
    return found


def _items_of(context: LedgerContext, day: str, wanted: Mapping[str, str]) -> Iterator[Item]:
    """The items of a day with the `wanted` members, newest first."""
    filters = " AND ".join(f"#{name} = :{name}" for name in wanted)
    return query(
        context,
        context.settings.status_table,
        "#day = :day",
        {":day": day, **{f":{name}": text for name, text in wanted.items()}},
        IndexName="by_day",
        ScanIndexForward=False,
        **({"FilterExpression": filters} if filters else {}),
    )
