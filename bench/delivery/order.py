"""Measures the reads of a release, and their order, with thousands of held summaries."""

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from lambdas.common.aws.items import to_item
from lambdas.common.clock import iso
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.deliveries.due import due, due_by, waiting


def order(context: LedgerContext, held: int, overdue: int) -> dict[str, Any]:
    """Returns the figures of one release with so many waiting and overdue deliveries."""
    now = datetime.now(UTC)
    late = [iso(now - timedelta(minutes=minute)) for minute in range(1, overdue + 1)]
    random.Random(7).shuffle(late)
    items = [_item(number, iso(now + timedelta(hours=8))) for number in range(held)]
    items += [_item(held + number, moment) for number, moment in enumerate(late)]
    dynamodb = boto3.client("dynamodb")
    for start in range(0, len(items), 25):
        puts = [{"PutRequest": {"Item": to_item(item)}} for item in items[start : start + 25]]
        dynamodb.batch_write_item(RequestItems={context.settings.ledger_table: puts})
    read: list[int] = []
    context.client("dynamodb").meta.events.register(
        "after-call.dynamodb.Query", lambda parsed, **_: read.append(parsed["ScannedCount"])
    )
    began = time.perf_counter()
    found = due_by(context, iso(now))
    seconds = time.perf_counter() - began
    queries, looked_at = len(read), sum(read)
    counted = waiting(context, found, iso(now))
    return {
        "held": counted.held,
        "of them overdue": counted.overdue,
        "found by a release": len(found),
        "the longest due first": [item.due_at for item in found] == sorted(late),
        "items read to find them": looked_at,
        "queries to find them": queries,
        "seconds (moto)": round(seconds, 2),
    }


def _item(number: int, moment: str) -> dict[str, Any]:
    key = f"{number:032x}"
    return {
        "delivery_id": key,
        "recipient_ref": f"k1.{number}",
        "channel": "email",
        "state": DeliveryState.HELD,
        "hold_reason": "digest",
        "release_at": moment,
        "updated_at": moment,
        **due(key, moment),
    }
