"""DynamoDB transactions that cost the same however long a table has grown.

moto copies whole tables before each transaction, so as to undo it, and its bookkeeping of instances
never lets go of a copy: after a few thousand audit entries every write takes seconds. Here a copy
holds the table's items themselves, and copies only those that the transaction would change in place.
"""

import copy
from contextvars import ContextVar
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

from local.patches.patching import add, replace

Keys = dict[str, list[dict[str, Any]]]
"""The keys of items that a transaction updates in place, by table."""

_updates: ContextVar[Keys | None] = ContextVar("updates", default=None)
_transact_write_items = DynamoDBBackend.transact_write_items


def install() -> None:
    """Puts this in place of moto's copying, for every table of this process; again changes nothing."""
    if DynamoDBBackend.transact_write_items is _transact:
        return
    replace(DynamoDBBackend, "transact_write_items", _transact)
    add(Table, "__deepcopy__", _copy)


def _transact(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    updates: Keys = {}
    for member in transact_items:
        if "Update" in member:
            table = member["Update"]["TableName"].rpartition("/")[2]
            updates.setdefault(table, []).append(member["Update"]["Key"])
    token = _updates.set(updates)
    try:
        _transact_write_items(backend, transact_items)
    finally:
        _updates.reset(token)


def _copy(table: Table, memo: dict[int, Any]) -> Table:
    """The table as it is now. A put or a delete leaves an item as it was; an update changes it in place."""
    # Not made by calling the class: moto would keep the instance for ever.
    twin: Table = object.__new__(type(table))
    updates = _updates.get()
    if updates is None:
        twin.__dict__ = copy.deepcopy(table.__dict__, memo)
        return twin
    items: Any = copy.copy(table.items)
    if table.has_range_key:
        items.update({key: dict(in_order) for key, in_order in table.items.items()})
    for key in updates.get(table.name, []):
        first = DynamoType(key[table.hash_key_attr])
        second = DynamoType(key[table.range_key_attr]) if table.range_key_attr else None
        item = table.get_item(first, second)
        if item is not None and second is not None:
            items[first][second] = copy.deepcopy(item)
        elif item is not None:
            items[first] = copy.deepcopy(item)
    twin.__dict__ = {**table.__dict__, "items": items}
    return twin
