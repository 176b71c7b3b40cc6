"""Reads and writes the registry's table for imports.

Writes are idempotent: an interrupted import can be repeated. Rows that a file no longer has stay in the
registry; `active` no, or a last day of validity, ends them.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from lambdas.common.aws.clients import dependency
from lambdas.common.aws.item_reads import BATCH, read_items
from lambdas.common.aws.item_writes import update
from lambdas.common.aws.items import to_item
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.registry.importing.changes import ItemChange
from lambdas.registry.importing.named_cells import NamedRows, keys_to_read
from lambdas.registry.keys import At, Item, Key, at
from ops.aws_calls import READERS, side_by_side

KEYS = ("pk", "sk")


def read_known(context: LedgerContext, table: str, named: NamedRows) -> dict[At, Item]:
    """Returns the items of the registry on which the plan of these rows depends."""
    known: dict[At, Item] = {}
    asked: set[At] = set()
    while keys := [key for key in keys_to_read(named, known) if at(key) not in asked]:
        asked |= set(map(at, keys))
        known |= read(context, table, keys)
    return known


def read(context: LedgerContext, table: str, keys: Iterable[Key]) -> dict[At, Item]:
    """Returns the items of these keys, by key; a missing one is absent."""
    wanted = list(keys)
    batches = [wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH)]
    found = side_by_side(lambda some: read_items(context, table, some), batches)
    return {at(item): item for items in found for item in items}


def write(
    context: LedgerContext, table: str, changes: Iterable[ItemChange], done: Callable[[], None]
) -> None:
    """Writes every change, and calls `done` after each."""

    def change(one: ItemChange) -> None:
        changes = {**one.values, **dict.fromkeys(one.removed)}
        if changes or one.added:
            update(context, table, one.key, changes, add=one.added)

    with ThreadPoolExecutor(READERS) as writers:
        for _ in writers.map(change, changes):
            done()


def remove(context: LedgerContext, table: str, items: Iterable[Item]) -> None:
    """Deletes items by their keys. Missing items are ignored."""
    for item in items:
        with dependency("dynamodb"):
            context.client("dynamodb").delete_item(
                TableName=table, Key=to_item({name: item[name] for name in KEYS})
            )
