"""Reads JSON documents and table items into their types, and writes them.

Times are ISO 8601 with the precision and offset that were sent, "" when none was. Texts are as the sender
wrote them, with escapes decoded and nothing trimmed. Fields that may identify a patient are hidden from
`repr` (docs/adr/0173-typed-contracts-with-msgspec.md).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, TypeVar

import msgspec

from lambdas.common.errors import ContractError

T = TypeVar("T")

# msgspec 0.22 ends the process when two threads read a class for the first time.
_reading = RLock()

# The end of msgspec's texts. Their beginning may hold a value: "Invalid enum value 'X' - at `$.kind`".
_PLACE = re.compile(r" - at (?:`key` in )?`\$(?P<path>[^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `(?P<name>\w+)`")


def private(default: Any = "") -> Any:
    """A field of a dataclass that may identify a patient: `repr` does not show it."""
    return field(default=default, repr=False)


def read_as(contract: type[T], document: object) -> T:
    """The document as a value of its type. Members that the type does not have are ignored.

    Raises `ContractError` with the class and the member that does not fit, never with a value.
    https://jcristharif.com/msgspec/converters.html
    """
    try:
        with _reading:
            return msgspec.convert(document, contract)
    except msgspec.ValidationError as error:
        raise ContractError(f"{contract.__name__}: {_fault(str(error))}") from None


def to_document(value: object) -> dict[str, Any]:
    """A value of a contract as the JSON object that `read_as` reads."""
    # `msgspec.to_builtins` leaves tuples as they are: this way the lists are lists.
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(value))
    return document


def without_empty(document: Mapping[str, Any]) -> dict[str, Any]:
    """The members that have a value: an index does not accept an empty key."""
    return {name: value for name, value in document.items() if value not in (None, "")}


def _fault(text: str) -> str:
    place = _PLACE.search(text)
    path = place["path"].lstrip(".") if place else ""
    missing = _MISSING.match(text)
    if missing:
        return f"{path}{'.' if path else ''}{missing['name']} is missing"
    return f"{path or 'the document'} is not of its type"


@dataclass(frozen=True, slots=True)
class Written:
    """A stored document as the audit records it: key, version, keyed digest (`KeyRing.digest`).

    Entries of earlier versions hold a plain `sha256` in its place; nothing writes it now.
    """

    key: str
    version_id: str
    digest: str = ""
    sha256: str = ""
