"""Puts items on the index `by_due` that should be on it and are not.

A version of the functions from before the index holds deliveries without its attributes, and comes back
with a rollback. So each run reads some pages of the index `by_state`, going on where the last one
stopped; a run that finds such items goes on for longer. The position is an item of the ledger's table.
"""

import time
from datetime import datetime
from typing import Any

from lambdas.common import deliveries
from lambdas.common.aws import client, dependency
from lambdas.common.clock import iso
from lambdas.common.deliveries import (
    CLAIMED,
    HELD,
    RESEND_AFTER,
    SENDING,
    TAKE_UP_AFTER,
    UNKNOWN,
    due,
    ledger_table,
)
from lambdas.common.items import Item, from_item, to_item

POSITION = "repair#by_due"
STATES = (HELD, CLAIMED, SENDING, UNKNOWN)

PAGES = 4
PAGE_ITEMS = 400
"""A run reads at least four pages. A page of deliveries is below DynamoDB's 1 MB: about 100 read units."""

SECONDS = 10
"""How long a run repairs at most, of its 55 s."""


def repair(resends_unknown: bool) -> int:
    """How many items were put on the index. Stops after `PAGES` pages in a row that lack none."""
    begun, clean, repaired = time.monotonic(), 0, 0
    position = (deliveries.read(POSITION) or {}).get("position", {})
    state, start = position.get("state", HELD), position.get("start")
    while clean < PAGES and time.monotonic() - begun < SECONDS:
        items, start = _page(state, start)
        found = sum(map(_put_on_index, (i for i in items if state != UNKNOWN or resends_unknown)))
        repaired, clean = repaired + found, 0 if found else clean + 1
        if start is None:
            state = STATES[(STATES.index(state) + 1) % len(STATES)]
    position = {"state": state, **({"start": start} if start else {})}
    with dependency("dynamodb"):
        client("dynamodb").update_item(
            TableName=ledger_table(),
            Key=to_item({"delivery_id": POSITION}),
            UpdateExpression="SET #position = :position",
            ExpressionAttributeNames={"#position": "position"},
            ExpressionAttributeValues=to_item({":position": position}),
        )
    return repaired


def _page(state: str, start: Item | None) -> tuple[list[Item], Item | None]:
    """A page's items that are not on the index, and the key to go on from; None after the last page."""
    with dependency("dynamodb"):
        page = client("dynamodb").query(
            TableName=ledger_table(),
            IndexName="by_state",
            KeyConditionExpression="#state = :state",
            FilterExpression="attribute_not_exists(due_shard) AND attribute_exists(task)",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues=to_item({":state": state}),
            Limit=PAGE_ITEMS,
            **({"ExclusiveStartKey": to_item(start)} if start else {}),
        )
    last = page.get("LastEvaluatedKey")
    return [from_item(item) for item in page["Items"]], from_item(last) if last else None


def _put_on_index(item: Item) -> bool:
    moment = due_at(item)
    if not moment:
        return False
    at: dict[str, Any] = due(item["delivery_id"], moment)
    return deliveries.change(
        item["delivery_id"],
        "SET due_shard = :shard, due_at = :at",
        "#state = :state AND attribute_not_exists(due_shard)",
        {":shard": at["due_shard"], ":at": moment, ":state": item["state"]},
    )


def due_at(item: Item) -> str:
    """When the release function takes the item up (ISO 8601, UTC); "" where a person or a workflow does."""
    unchanged_since = datetime.fromisoformat(item["updated_at"])
    match item["state"]:
        case deliveries.HELD:
            return str(item.get("release_at", ""))
        case deliveries.CLAIMED | deliveries.SENDING if item.get("released"):
            return iso(unchanged_since + TAKE_UP_AFTER)
        case deliveries.UNKNOWN if not item.get("resent"):
            return iso(unchanged_since + RESEND_AFTER)
    return ""
