"""Converts DynamoDB's typed items to plain values, and back."""

import re
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer

Item = dict[str, Any]

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def from_item(item: Item) -> Item:
    """A DynamoDB item as plain values: whole numbers as `int`, others as `Decimal`, binary as `bytes`, sets as `set`."""
    return {name: _plain(_deserialize(value)) for name, value in item.items()}


def to_item(plain: Item) -> Item:
    """Plain values as a DynamoDB item."""
    return {name: _serialize(value) for name, value in plain.items()}


def expressed(text: str, values: Item, /, **more: str) -> dict[str, Any]:
    """The names and values that a call gives for the placeholders of its expressions.

    In `text`, which holds the expressions, `#name` stands for the attribute `name`. `more` are placeholders
    without their `#`, with their attributes.
    """
    names = {f"#{name}": name for name in re.findall(r"#(\w+)", text)}
    names |= {f"#{place}": name for place, name in more.items()}
    return {
        **({"ExpressionAttributeNames": names} if names else {}),
        **({"ExpressionAttributeValues": to_item(values)} if values else {}),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, set):
        return set(map(_plain, value))
    if isinstance(value, Binary):
        return value.value
    whole = isinstance(value, Decimal) and value == value.to_integral_value()
    return int(value) if whole else value
