"""Puts items on the index `by_due` that should be on it and are not.

A version of the functions from before the index holds deliveries without its attributes, and comes back
with a rollback. So each run reads some pages of the index `by_state`, going on where the last one
stopped; a run that finds such items goes on for longer. The position is an item of the ledger's table.
"""

import time
from datetime import datetime

import msgspec

from lambdas.common.aws.item_reads import pages
from lambdas.common.aws.items import Item, from_item, to_item
from lambdas.common.clock import iso
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.deliveries.due import RESEND_AFTER, TAKE_UP_AFTER, due
from lambdas.delivery.ledger.items import DeliveryItem, RepairPosition
from lambdas.delivery.ledger.table import Prefix

POSITION = Prefix.REPAIR.key("by_due")
STATES = (
    DeliveryState.HELD,
    DeliveryState.CLAIMED,
    DeliveryState.SENDING,
    DeliveryState.UNKNOWN,
)

CLEAN_PAGES = 4
ITEMS_PER_PAGE = 400
"""A run reads at least four pages. A page of deliveries is below DynamoDB's 1 MB: about 100 read units."""

MAX_SECONDS = 10
"""How long a run repairs at most, of its 55 s."""


def repair(context: LedgerContext, resends_unknown: bool) -> int:
    """The number of items that were put on the index. Stops after `CLEAN_PAGES` pages in a row that lack none."""
    begun, clean, repaired = time.monotonic(), 0, 0
    kept = table.read_item(context, POSITION).get("position", {})
    position = msgspec.convert(kept, RepairPosition)
    state, start = position.state, position.start
    while clean < CLEAN_PAGES and time.monotonic() - begun < MAX_SECONDS:
        items, start = _page(context, state, start)
        wanted = (i for i in items if i.state is not DeliveryState.UNKNOWN or resends_unknown)
        found = sum(_put_on_index(context, item) for item in wanted)
        repaired, clean = repaired + found, 0 if found else clean + 1
        if not start:
            state = STATES[(STATES.index(state) + 1) % len(STATES)]
    table.update(context, POSITION, {"position": {"state": state, "start": start}})
    return repaired


def _page(
    context: LedgerContext, state: DeliveryState, start: Item
) -> tuple[list[DeliveryItem], Item]:
    """A page's items that are not on the index, and the key to go on from; empty after the last page."""
    found = pages(
        context.client("dynamodb"),
        context.settings.ledger_table,
        "#state = :state",
        {":state": state},
        IndexName="by_state",
        FilterExpression="attribute_not_exists(due_shard) AND attribute_exists(task)",
        Limit=ITEMS_PER_PAGE,
        **({"ExclusiveStartKey": to_item(start)} if start else {}),
    )
    page = next(found)
    items = [msgspec.convert(from_item(item), DeliveryItem) for item in page["Items"]]
    return items, from_item(page.get("LastEvaluatedKey", {}))


def _put_on_index(context: LedgerContext, item: DeliveryItem) -> bool:
    moment = due_at(item)
    return (
        bool(moment)
        and table.update(
            context,
            item.delivery_id,
            due(item.delivery_id, moment),
            "#state = :state AND attribute_not_exists(#due_shard)",
            {":state": item.state},
        ).applied
    )


def due_at(item: DeliveryItem) -> str:
    """The time at which ReleaseDeliveries retries the item (ISO 8601, UTC); "" when a person or a workflow does."""
    unchanged_since = datetime.fromisoformat(item.updated_at)
    match item.state:
        case DeliveryState.HELD:
            return item.release_at
        case DeliveryState.CLAIMED | DeliveryState.SENDING if item.released:
            return iso(unchanged_since + TAKE_UP_AFTER)
        case DeliveryState.UNKNOWN if not item.resent:
            return iso(unchanged_since + RESEND_AFTER)
    return ""
