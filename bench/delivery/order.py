"""What a release reads, and in which order, with thousands of summaries waiting for their hour."""

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from lambdas.common import deliveries
from lambdas.common.aws import client
from lambdas.common.clock import iso
from lambdas.common.items import to_item
from lambdas.release_deliveries import ledger


def order(waiting: int, overdue: int) -> dict[str, Any]:
    """The figures of one look at a ledger with so many waiting and overdue deliveries."""
    now = datetime.now(UTC)
    late = [iso(now - timedelta(minutes=minute)) for minute in range(1, overdue + 1)]
    random.Random(7).shuffle(late)
    items = [_item(number, iso(now + timedelta(hours=8))) for number in range(waiting)]
    items += [_item(waiting + number, moment) for number, moment in enumerate(late)]
    dynamodb = boto3.client("dynamodb")
    for start in range(0, len(items), 25):
        puts = [{"PutRequest": {"Item": to_item(item)}} for item in items[start : start + 25]]
        dynamodb.batch_write_item(RequestItems={deliveries.ledger_table(): puts})
    read: list[int] = []
    client("dynamodb").meta.events.register(
        "after-call.dynamodb.Query", lambda parsed, **_: read.append(parsed["ScannedCount"])
    )
    began = time.perf_counter()
    due = ledger.due_by(iso(now))
    seconds = time.perf_counter() - began
    queries, looked_at = len(read), sum(read)
    counted = ledger.waiting(due, iso(now))
    return {
        "held": counted.held,
        "of them overdue": counted.overdue,
        "found by a release": len(due),
        "the longest due first": [item["due_at"] for item in due] == sorted(late),
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
        "state": deliveries.HELD,
        "hold_reason": "digest",
        "release_at": moment,
        "updated_at": moment,
        **deliveries.due(key, moment),
    }
