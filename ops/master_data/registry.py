"""Reads and writes the registry's table for imports.

Writes are idempotent: an interrupted import can be repeated. Rows that a file no longer has stay in the
registry; `active` no, or a last day of validity, ends them.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from lambdas.common.aws.clients import dependency
from lambdas.common.aws.item_reads import BATCH, read_items
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
        update(context, table, one.key, one.values, one.added, gone=one.removed)

    with ThreadPoolExecutor(READERS) as writers:
        for _ in writers.map(change, changes):
            done()


def update(
    context: LedgerContext,
    table: str,
    key: dict[str, str],
    values: Item,
    sets: Mapping[str, set[str]] | None = None,
    *,
    gone: Iterable[str] = (),
) -> None:
    """Sets attributes of an item, adds to its sets, removes the attributes `gone`. Creates a missing item."""
    # Placeholders for attribute names: some are reserved words (Amazon DynamoDB Developer Guide).
    names = {f"#{n}": name for n, name in enumerate([*values, *(sets or {}), *gone])}
    at = {name: placeholder for placeholder, name in names.items()}
    parts = []
    for verb, joint, chosen in (("SET", " = ", values), ("ADD", " ", sets or {})):
        if chosen:
            parts.append(verb + " " + ", ".join(f"{at[n]}{joint}:{at[n][1:]}" for n in chosen))
    if removed := [at[name] for name in gone]:
        parts.append("REMOVE " + ", ".join(removed))
    if not parts:
        return
    given = {f":{at[name][1:]}": value for name, value in {**values, **(sets or {})}.items()}
    with dependency("dynamodb"):
        context.client("dynamodb").update_item(
            TableName=table,
            Key=to_item(key),
            UpdateExpression=" ".join(parts),
            ExpressionAttributeNames=names,
            **({"ExpressionAttributeValues": to_item(given)} if given else {}),
        )


def remove(context: LedgerContext, table: str, items: Iterable[Item]) -> None:
    """Deletes items by their keys. Missing items are ignored."""
    for item in items:
        with dependency("dynamodb"):
            context.client("dynamodb").delete_item(
                TableName=table, Key=to_item({name: item[name] for name in KEYS})
            )
