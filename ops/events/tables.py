"""What the status and audit tables answer about many events at once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.common.audit import chain
from lambdas.common.aws.clients import dependency
from lambdas.common.aws.items import from_item
from lambdas.delivery.ledger.context import LedgerContext

DAYS_BACK = 14
"""How far a list looks back: SQS keeps a dead letter for at most 14 days."""


def days_back() -> list[str]:
    """The days a list covers as YYYY-MM-DD in UTC, today first."""
    today = datetime.now(UTC).date()
    return [(today - timedelta(days=back)).isoformat() for back in range(DAYS_BACK + 1)]


def events_of_control_id(context: LedgerContext, message_control_id: str) -> list[str]:
    """The events whose message carried this MSH-10, newest first; senders do reuse them."""
    hits = chain.query(
        context,
        IndexName="by_message_control_id",
        KeyConditionExpression="message_control_id = :m",
        ExpressionAttributeValues={":m": {"S": message_control_id}},
        ScanIndexForward=False,
    )
    return list(dict.fromkeys(hit["event_id"] for hit in hits))


def events_of_day(context: LedgerContext, day: str) -> list[str]:
    """Every event that the audit or the status table knows on a day, each once, sorted."""
    audited = chain.query(
        context,
        IndexName="by_day",
        KeyConditionExpression="#day = :d",
        ExpressionAttributeNames={"#day": "day"},
        ExpressionAttributeValues={":d": {"S": day}},
        ProjectionExpression="event_id",
    )
    return sorted(
        {e["event_id"] for e in audited} | {i["event_id"] for i in statuses_of(context, day)}
    )


def failed_events(context: LedgerContext) -> list[str]:
    """The events that a workflow gave up within the last 14 days, each once, newest failure first."""
    found: dict[str, None] = {}
    for day in days_back():
        failures = chain.query(
            context,
            IndexName="by_day",
            KeyConditionExpression="#day = :d AND begins_with(outcome_time, :failed)",
            FilterExpression="step = :s",
            ExpressionAttributeNames={"#day": "day"},
            ExpressionAttributeValues={
                ":d": {"S": day},
                ":failed": {"S": "failed#"},
                ":s": {"S": "RecordFailure"},
            },
            ScanIndexForward=False,
        )
        found.update(dict.fromkeys(failure["event_id"] for failure in failures))
    return list(found)


def statuses_of(context: LedgerContext, day: str, state: str = "") -> Iterator[dict[str, Any]]:
    """The status items of a day, newest first, page by page."""
    names, values, only = {"#day": "day"}, {":d": {"S": day}}, {}
    if state:
        names["#status"], values[":s"] = "status", {"S": state}
        only = {"FilterExpression": "#status = :s"}
    pages = context.client("dynamodb").get_paginator("query")
    with dependency("dynamodb"):
        for page in pages.paginate(
            TableName=context.settings.status_table,
            IndexName="by_day",
            KeyConditionExpression="#day = :d",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
            **only,
        ):
            yield from map(from_item, page["Items"])
