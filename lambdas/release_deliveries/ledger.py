"""What a release reads and writes in the delivery ledger."""

import heapq
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lambdas.common import deliveries
from lambdas.common.aws import client, dependency
from lambdas.common.clock import now
from lambdas.common.deliveries import DUE_SHARDS, HELD, UNKNOWN, ledger_table
from lambdas.common.items import Item, from_item, to_item

MOST = 5_000
"""Items that one run looks at, the oldest due first: more than it can send at 100 mails a second."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many deliveries are held for a time, how many of them are due, and how many are unknown.

    `oldest` is when the longest due one was due, or now.
    """

    held: int
    overdue: int
    oldest: str
    unknown: int


def due_by(moment: str) -> list[Item]:
    """The items whose time came at or before the moment (ISO 8601, UTC), the longest due first.

    Each holds the attributes of the index `by_due`: references, codes and times, no task. At most `MOST`.
    """
    shards = [_due_in(str(shard), moment) for shard in range(DUE_SHARDS)]
    return list(islice(heapq.merge(*shards, key=lambda item: str(item["due_at"])), MOST))


def _due_in(shard: str, moment: str) -> Iterator[Item]:
    condition = "due_shard = :shard AND due_at <= :moment"
    for page in _pages("by_due", condition, {":shard": shard, ":moment": moment}):
        yield from map(from_item, page["Items"])


def waiting(found: list[Item], moment: str) -> Waiting:
    """The counts for the alarms; `found` is `due_by` of that moment, and is counted on where it was cut."""
    overdue = [item for item in found if item["state"] == HELD]
    count = len(overdue)
    if len(found) == MOST:
        count = _held("due_shard = :key AND due_at <= :moment", moment)
    return Waiting(
        held=count + _held("due_shard = :key AND due_at > :moment", moment),
        overdue=count,
        oldest=str(overdue[0]["due_at"]) if overdue else moment,
        unknown=_count("by_state", "#state = :key", {":key": UNKNOWN}),
    )


def _held(condition: str, moment: str) -> int:
    """How many held deliveries the index `by_due` holds on this condition."""
    return sum(
        _count(
            "by_due",
            condition,
            {":key": str(shard), ":moment": moment, ":held": HELD},
            FilterExpression="#state = :held",
        )
        for shard in range(DUE_SHARDS)
    )


def _count(index: str, condition: str, values: Item, **more: Any) -> int:
    names = {"#state": "state"}
    return sum(
        page["Count"]
        for page in _pages(
            index, condition, values, Select="COUNT", ExpressionAttributeNames=names, **more
        )
    )


def _pages(index: str, condition: str, values: Item, **more: Any) -> Iterator[dict[str, Any]]:
    with dependency("dynamodb"):
        yield from (
            client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=ledger_table(),
                IndexName=index,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=to_item(values),
                **more,
            )
        )


def leave_to_a_person(delivery_id: str) -> None:
    """Takes an unknown delivery off the index: nothing is due until somebody decides."""
    deliveries.change(
        delivery_id, "REMOVE due_shard, due_at", "#state = :unknown", {":unknown": UNKNOWN}
    )


def bound(items: list[Item]) -> tuple[str, list[Item]]:
    """A new summary's id and those of the items that are now bound to it, for good."""
    digest_id = uuid.uuid4().hex
    ours = [
        item
        for item in items
        if deliveries.change(
            item["delivery_id"],
            "SET digest_id = :digest, updated_at = :now",
            "#state = :held AND attribute_not_exists(digest_id)",
            {":digest": digest_id, ":now": now(), ":held": HELD},
        )
    ]
    return digest_id, ours
