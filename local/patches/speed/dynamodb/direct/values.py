"""Attribute values of DynamoDB in their JSON: `{"S": "text"}`, `{"N": "1"}`."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple


class UnusualCallError(Exception):
    """Raised before anything was written, for a call that moto answers: a fault, or a rare feature."""


Value = dict[str, Any]
"""One attribute value: its type and the value."""

Attributes = dict[str, Value]
"""The attributes of an item by name. They are never changed in place."""

Names = Mapping[str, str]
Values = Mapping[str, Value]


class Evaluation(NamedTuple):
    """The input of an expression: an item, and the names and values of the placeholders."""

    item: Attributes
    names: Names
    values: Values

    def name(self, word: str) -> str:
        """The attribute's name that a word of an expression stands for."""
        return self.names[word] if word.startswith("#") else word

    def attribute(self, word: str) -> Value | None:
        """The value of the attribute that a word stands for; None where the item has none."""
        return self.item.get(self.names[word] if word.startswith("#") else word)


NUMBER = re.compile(r"-?\d{1,38}(\.\d{1,20})?")


def scalar(value: Value) -> tuple[str, Any]:
    """The type and the comparable value of a string, a number or a boolean."""
    ((kind, content),) = value.items()
    if kind in ("S", "BOOL"):
        return kind, content
    if kind == "N" and NUMBER.fullmatch(content):
        return kind, Decimal(content)
    raise UnusualCallError


def total(first: Value, second: Value) -> Value:
    """The sum of two numbers, written as moto writes it."""
    (one_kind, one), (other_kind, other) = scalar(first), scalar(second)
    if (one_kind, other_kind) != ("N", "N"):
        raise UnusualCallError
    result: Decimal | int = one + other
    if "." not in first["N"] + second["N"]:
        result = int(result)
    return {"N": f"{result}"}


def check(value: Any) -> None:
    """Raises `UnusualCallError` for a value that moto might refuse, and for binary ones."""
    if type(value) is not dict or len(value) != 1:
        raise UnusualCallError
    ((kind, content),) = value.items()
    if kind not in _SOUND or not _SOUND[kind](content):
        raise UnusualCallError
    if kind in ("L", "M"):
        for each in content if kind == "L" else content.values():
            check(each)


_SOUND: dict[str, Callable[[Any], bool]] = {
    "BOOL": lambda content: type(content) is bool,
    "L": lambda content: type(content) is list,
    "M": lambda content: type(content) is dict,
    "N": lambda content: type(content) is str and NUMBER.fullmatch(content) is not None,
    "NULL": lambda content: content is True,
    "S": lambda content: type(content) is str,
    "SS": lambda content: bool(content) and len(set(content)) == len(content),
}
