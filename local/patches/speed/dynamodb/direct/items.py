"""Items of moto that hold their attributes as JSON, and make moto's objects of them when moto asks.

moto keeps each value as an object, and makes and compares millions of them: for a query it sorts the
items of the whole table, and for each attribute that it sets it adds up the sizes of all the others.
Only one of the two forms exists at a time, so that a change that moto makes in place is not missed.
"""

from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict

from local.patches.patching import add
from local.patches.speed.dynamodb.direct.values import Attributes, UnusualCallError

MAY_GROW_TO = 380_000
"""Bytes of JSON, which are more than DynamoDB counts: its limit for an item is 400 kB."""

_JSON, _OBJECTS = "attributes_as_json", "attributes_as_objects"


def install() -> None:
    """Adds the second form to the items of this process's moto; calling it again changes nothing."""
    if not isinstance(vars(Item).get("attrs"), property):
        add(Item, "attrs", property(_objects, _set_objects))


def new_item(hash_key: DynamoType, range_key: DynamoType | None, attributes: Attributes) -> Item:
    """An item of moto with these attributes, which the caller must not change."""
    item: Item = object.__new__(Item)
    item.hash_key, item.range_key = hash_key, range_key
    item.__dict__[_JSON] = attributes
    return item


def attributes_of(item: Item) -> Attributes:
    """The attributes of an item as JSON; the caller must not change them.

    Raises `UnusualCallError` for binary values.
    """
    state = item.__dict__
    if _JSON not in state:
        state[_JSON] = _as_json(state[_OBJECTS])
        del state[_OBJECTS]
    attributes: Attributes = state[_JSON]
    return attributes


def _objects(item: Item) -> Any:
    state = item.__dict__
    if _OBJECTS not in state:
        objects = LimitedSizeDict()
        for name, value in state.pop(_JSON).items():
            dict.__setitem__(objects, name, DynamoType(value))
        state[_OBJECTS] = objects
    return state[_OBJECTS]


def _set_objects(item: Item, objects: Any) -> None:
    item.__dict__.pop(_JSON, None)
    item.__dict__[_OBJECTS] = objects


def _as_json(value: Any) -> Any:
    if isinstance(value, DynamoType):
        return {value.type: _as_json(value.value)}
    if isinstance(value, dict):
        return {name: _as_json(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    if isinstance(value, bytes):
        raise UnusualCallError
    return value
