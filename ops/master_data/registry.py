"""Writes master data to the registry's table.

Writes are idempotent: an interrupted import can be repeated. Rows that a file no longer has stay in the
registry; `active` no ends them.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from lambdas.common.aws.clients import dependency
from lambdas.common.aws.items import from_item, to_item
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.registry.items import Item

KEYS = ("pk", "sk")
KEPT = ("roster_until",)
"""Attributes that an import of master data does not change: `ens roster` writes them."""

WRITERS = 8


def write(
    context: LedgerContext, table: str, items: Iterable[Item], done: Callable[[], None]
) -> None:
    """Writes every item, and calls `done` after each."""
    with ThreadPoolExecutor(WRITERS) as writers:
        for _ in writers.map(lambda item: _put(context, table, item), items):
            done()


def _put(context: LedgerContext, table: str, item: Item) -> None:
    """Writes an item and removes its former attributes, except `KEPT`. Values are added to sets."""
    sets = {name: value for name, value in item.items() if isinstance(value, set)}
    plain = {n: v for n, v in item.items() if n not in (*KEYS, *sets)}
    key = {name: item[name] for name in KEYS}
    known = get(context, table, key)
    gone = [n for n, v in known.items() if n not in (*item, *KEPT) and not isinstance(v, set)]
    update(context, table, key, plain, sets, gone=gone)


def update(
    context: LedgerContext,
    table: str,
    key: dict[str, str],
    values: Item,
    sets: Item | None = None,
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


def get(context: LedgerContext, table: str, key: dict[str, str]) -> Item:
    """Returns an item by a strongly consistent read, {} when it does not exist."""
    with dependency("dynamodb"):
        answer = context.client("dynamodb").get_item(
            TableName=table, Key=to_item(key), ConsistentRead=True
        )
    return from_item(answer.get("Item", {}))


def remove(context: LedgerContext, table: str, items: Iterable[Item]) -> None:
    """Deletes items by their keys. Missing items are ignored."""
    for item in items:
        with dependency("dynamodb"):
            context.client("dynamodb").delete_item(
                TableName=table, Key=to_item({name: item[name] for name in KEYS})
            )
