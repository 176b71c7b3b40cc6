"""Queries of the status and audit tables for lists of events."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from lambdas.common.audit import chain
from lambdas.common.aws.clients import dependency
from lambdas.common.aws.items import from_item
from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.workflow.status import StatusItem
from lambdas.delivery.ledger.context import LedgerContext

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
        IndexName="by_message_control_id",
        KeyConditionExpression="message_control_id = :m",
        ExpressionAttributeValues={":m": {"S": message_control_id}},
        ScanIndexForward=False,
    )
    return list(dict.fromkeys(hit["event_id"] for hit in hits))


def failed_events(context: LedgerContext) -> list[str]:
    """Returns the ids of the events that failed within the last 14 days, newest failure first."""
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


def statuses_of(
    context: LedgerContext, day: str, state: str = "", sender: str = ""
) -> Iterator[StatusItem]:
    """Yields the status items of a day (UTC), newest first; only those in `state` and of `sender` if not ""."""
    names, values = {"#day": "day"}, {":d": {"S": day}}
    filters = []
    for name, value in (("status", state), ("sender", sender)):
        if value:
            names[f"#{name}"], values[f":{name}"] = name, {"S": value}
            filters.append(f"#{name} = :{name}")
    only = {"FilterExpression": " AND ".join(filters)} if filters else {}
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
            for item in page["Items"]:
                yield read_as(StatusItem, from_item(item))
