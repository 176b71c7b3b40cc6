"""The ledger's table: its keys, reading an item, and the one function that changes an item."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

from lambdas.common.aws import item_reads, item_writes
from lambdas.common.aws.clients import dependency
from lambdas.common.aws.item_writes import Update
from lambdas.common.aws.items import Item, to_item
from lambdas.common.clock import expiry
from lambdas.delivery.ledger.context import LedgerContext


class Prefix(StrEnum):
    """The first part of the key of an item that is no delivery; a delivery's key is 32 hex digits.

    ExtractEntities keeps one more item of the prefix `rate`
    (lambdas/extract_entities/comprehend_medical/turns.py).
    """

    ACCOUNT = "account"
    CERTIFICATE = "certificate"
    ENCOUNTER = "encounter"
    ENDPOINT = "endpoint"
    RATE = "rate"
    REPAIR = "repair"
    SWITCH = "switch"

    def key(self, *parts: str) -> str:
        """The key of the item that these parts name."""
        return "#".join((self, *parts))


def read_item(context: LedgerContext, key: str) -> Item:
    """The item, read consistently; empty when there is none."""
    return item_reads.read_item(context, context.settings.ledger_table, {"delivery_id": key})


def read_several(context: LedgerContext, keys: Iterable[str]) -> dict[str, Item]:
    """The items by key, read consistently with one call; a missing one is absent."""
    wanted = ({"delivery_id": key} for key in keys)
    found = item_reads.read_items(context, context.settings.ledger_table, wanted)
    return {item["delivery_id"]: item for item in found}


def replace_item(context: LedgerContext, item: Item) -> None:
    """Writes an item, or replaces the one of its key."""
    with dependency("dynamodb"):
        context.client("dynamodb").put_item(
            TableName=context.settings.ledger_table, Item=to_item(item)
        )


def update(
    context: LedgerContext,
    key: str,
    changes: Item,
    condition: str = "",
    values: Item | None = None,
    *,
    add: Item | None = None,
    once: Item | None = None,
) -> Update:
    """Changes an item as `item_writes.update`.

    DynamoDB deletes a delivery or an encounter's item `stored_days.ledger` after its newest change.
    """
    if _expires(key):
        changes = {**changes, "expires_at": expiry(context.settings.stored_days.ledger)}
    return item_writes.update(
        context,
        context.settings.ledger_table,
        {"delivery_id": key},
        changes,
        condition=condition,
        values=values,
        add=add,
        once=once,
    )


def query(context: LedgerContext, index: str, condition: str, values: Item) -> Iterator[Item]:
    """Yields the items of an index that meet the condition, page by page."""
    return item_reads.query(
        context, context.settings.ledger_table, condition, values, IndexName=index
    )


def count(context: LedgerContext, index: str, condition: str, values: Item, **more: Any) -> int:
    """The number of an index's items that meet the condition."""
    client, table = context.client("dynamodb"), context.settings.ledger_table
    found = item_reads.pages(
        client, table, condition, values, IndexName=index, Select="COUNT", **more
    )
    return sum(page["Count"] for page in found)


def _expires(key: str) -> bool:
    """Whether the item is about a patient: a delivery (its key has no prefix), or an encounter's."""
    prefix, found, _ = key.partition("#")
    return not found or prefix == Prefix.ENCOUNTER
