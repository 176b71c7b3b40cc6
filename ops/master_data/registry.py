"""Writes the master data of a folder to the registry.

Every write says what shall be, not what changes, so that a second run makes no difference and one that
was cut short is simply run again. What the files no longer name stays: end it by `active` no.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from lambdas.common.aws.clients import dependency
from lambdas.common.aws.items import from_item, to_item
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.lookup_identities.registry.items import Item

KEYS = ("pk", "sk")
KEPT = ("roster_until",)
"""What an import of master data leaves as it is: rosters have a life of their own."""

WRITERS = 8


def write(
    context: LedgerContext, table: str, items: Iterable[Item], done: Callable[[], None]
) -> None:
    """Files every item; `done` is called after each."""
    with ThreadPoolExecutor(WRITERS) as writers:
        for _ in writers.map(lambda item: _put(context, table, item), items):
            done()


def _put(context: LedgerContext, table: str, item: Item) -> None:
    """Files an item as it is, except what has a life of its own; sets only grow."""
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
    """Sets values of an item, adds to its sets, and takes attributes away; makes the item if need be."""
    # Names stand behind placeholders: some are DynamoDB's own words.
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
    """An item, read consistently; an empty one where there is none."""
    with dependency("dynamodb"):
        answer = context.client("dynamodb").get_item(
            TableName=table, Key=to_item(key), ConsistentRead=True
        )
    return from_item(answer.get("Item", {}))


def remove(context: LedgerContext, table: str, items: Iterable[Item]) -> None:
    """Removes items by their keys; one that is not there is no error."""
    for item in items:
        with dependency("dynamodb"):
            context.client("dynamodb").delete_item(
                TableName=table, Key=to_item({name: item[name] for name in KEYS})
            )
