"""The tables of moto, as the calls use them."""

from collections.abc import Iterator
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

from local.patches.speed.dynamodb.direct.items import attributes_of, new_item
from local.patches.speed.dynamodb.direct.values import Attributes, UnusualCallError, Value

Key = tuple[DynamoType, DynamoType | None]


def key_of(table: Table, attributes: Attributes) -> Key:
    """The key of a table among these attributes. Raises `UnusualCallError` for one that moto refuses."""
    first = _part(attributes, table.hash_key_attr, table.hash_key_type)
    if table.range_key_attr is None:
        return first, None
    return first, _part(attributes, table.range_key_attr, table.range_key_type)


def exact_key(table: Table, attributes: Attributes) -> Key:
    """The key, where nothing else may stand beside it."""
    if len(attributes) != (1 if table.range_key_attr is None else 2):
        raise UnusualCallError
    return key_of(table, attributes)


def _part(attributes: Attributes, name: str, kind: str | None) -> DynamoType:
    value = attributes.get(name)
    if value is None or list(value) != [kind] or kind not in ("S", "N") or not value[kind]:
        raise UnusualCallError
    return DynamoType(value)


def _items(table: Table) -> dict[DynamoType, Any]:
    """The items by their first part; in a table with a range key, a dictionary by the second part each."""
    return table.items


def found(table: Table, key: Key) -> Item | None:
    """The item with this key."""
    first, second = key
    # Not by index: a table with a range key makes an entry for each first part that is asked for.
    item_or_group = _items(table).get(first)
    if second is not None and item_or_group is not None:
        item_or_group = item_or_group.get(second)
    item: Item | None = item_or_group
    return item


def listed(table: Table, key: Key) -> Item:
    """The item with a key that an index lists. Raises `AssertionError` when the list is stale."""
    item = found(table, key)
    assert item is not None, f"an index of {table.name} lists an item that the table lacks"
    return item


def put(table: Table, key: Key, attributes: Attributes) -> None:
    """Stores these attributes as an item."""
    first, second = key
    item = new_item(first, second, attributes)
    if second is None:
        _items(table)[first] = item
    else:
        _items(table)[first][second] = item


def delete(table: Table, key: Key) -> None:
    """Removes the item with this key, if there is one."""
    first, second = key
    if second is None:
        table.items.pop(first, None)
    elif first in table.items:
        table.items[first].pop(second, None)


def of_partition(table: Table, first: DynamoType) -> list[Attributes]:
    """The items of a table with a range key that have this first part, in the order of the second."""
    in_order = table.items.get(first, {})
    return [attributes_of(in_order[second]) for second in sorted(in_order)]


def keyed_items(table: Table) -> Iterator[tuple[Key, Item]]:
    """Every item of a table with its key, in no order."""
    for first, item_or_group in _items(table).items():
        if table.range_key_attr is None:
            yield (first, None), item_or_group
        else:
            for second, item in item_or_group.items():
                yield (first, second), item


def index_keys(table: Table) -> dict[str, str]:
    """The type of each attribute that is part of a key of the table or of one of its indexes."""
    return {each["AttributeName"]: each["AttributeType"] for each in table.attr}


def key_of_partition(table: Table, value: Value) -> tuple[DynamoType]:
    """The first part of a key with this value."""
    return (_part({table.hash_key_attr: value}, table.hash_key_attr, table.hash_key_type),)
