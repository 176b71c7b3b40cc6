"""Converts DynamoDB's typed items to plain values, and back."""

from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

Item = dict[str, Any]

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def from_item(item: Item) -> Item:
    """A DynamoDB item as plain values; numbers come as `int`, sets as `set`."""
    return {name: _plain(_deserialize(value)) for name, value in item.items()}


def to_item(plain: Item) -> Item:
    """Plain values as a DynamoDB item."""
    return {name: _serialize(value) for name, value in plain.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, str | bool | bytes | set) or value is None else int(value)
