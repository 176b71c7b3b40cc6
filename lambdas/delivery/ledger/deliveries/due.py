"""The index `by_due`: which items ReleaseDeliveries takes up, and when.

When its time has come, an item is released, taken up again or sent again, by its state. Items without
`due_shard` and `due_at` are not on the index.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-indexes-general-sparse-indexes.html
"""

import heapq
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

import msgspec

from lambdas.common.aws.items import Item
from lambdas.common.clock import iso
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.items import DeliveryItem

DUE_SHARDS = 4
"""Partitions of the index. One takes 1,000 writes a second (DynamoDB's limit for a partition); four
take more than the workflow holds back in its busiest second. The number may grow and never shrink."""

TAKE_UP_AFTER = timedelta(minutes=2)
"""A release that was begun so long ago has failed: no function runs longer."""

RESEND_AFTER = timedelta(minutes=10)
"""How long an unknown delivery waits for SES's own event before the policy may send it again."""

MAX_DUE = 5_000
"""Items that one run looks at, the oldest due first: more than it can send at 100 mails a second."""

NOT_DUE: Item = {"due_shard": None, "due_at": None}
"""The changes that remove an item from the index."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The numbers of deliveries that are held for a time, are due, and are unknown.

    `oldest` is when the longest due one was due, or now.
    """

    held: int
    overdue: int
    oldest: str
    unknown: int


def due(delivery_id: str, moment: str) -> Item:
    """The attributes that put an item on the index for the moment (ISO 8601, UTC)."""
    return {"due_shard": str(zlib.crc32(delivery_id.encode()) % DUE_SHARDS), "due_at": moment}


def due_after(delivery_id: str, wait: timedelta) -> Item:
    """The attributes that put an item on the index for so long from now."""
    return due(delivery_id, iso(datetime.now(UTC) + wait))


def due_by(context: LedgerContext, moment: str) -> list[DeliveryItem]:
    """The items whose time came at or before the moment (ISO 8601, UTC), the longest due first.

    Each holds the attributes of the index: references, codes and times, no task. At most `MAX_DUE`.
    """
    shards = [_due_in(context, str(shard), moment) for shard in range(DUE_SHARDS)]
    return list(islice(heapq.merge(*shards, key=lambda item: item.due_at), MAX_DUE))


def _due_in(context: LedgerContext, shard: str, moment: str) -> Iterator[DeliveryItem]:
    condition = "#due_shard = :shard AND #due_at <= :moment"
    for item in table.query(context, "by_due", condition, {":shard": shard, ":moment": moment}):
        yield msgspec.convert(item, DeliveryItem)


def waiting(context: LedgerContext, found: list[DeliveryItem], moment: str) -> Waiting:
    """The counts for the alarms; `found` is `due_by` of that moment, and is counted on where it was cut."""
    overdue = [item for item in found if item.state is DeliveryState.HELD]
    count = len(overdue)
    if len(found) == MAX_DUE:
        count = _held(context, "#due_shard = :key AND #due_at <= :moment", moment)
    return Waiting(
        held=count + _held(context, "#due_shard = :key AND #due_at > :moment", moment),
        overdue=count,
        oldest=overdue[0].due_at if overdue else moment,
        unknown=table.count(context, "by_state", "#state = :key", {":key": DeliveryState.UNKNOWN}),
    )


def _held(context: LedgerContext, condition: str, moment: str) -> int:
    """The number of held deliveries of the index with this condition."""
    values = {":moment": moment, ":held": DeliveryState.HELD}
    return sum(
        table.count(
            context,
            "by_due",
            condition,
            {**values, ":key": str(shard)},
            FilterExpression="#state = :held",
        )
        for shard in range(DUE_SHARDS)
    )
