"""The bytes and the hash of an audit entry, by which a chain is made and checked."""

import hashlib
import json
from decimal import Decimal
from typing import Any

from lambdas.common.aws.items import Item

HEAD = "HEAD"
"""Sort key of the chain's head: the number and hash of the last entry, and the seal over both."""

GENESIS = "0" * 64
"""The hash before the first entry."""

EXPIRES = "expires_at"
"""The time to live is outside the hash: a period can be prolonged, and a removed entry shows anyway."""

UNCOVERED = ("hash", "key_id", EXPIRES)
"""Attributes that a hash does not cover. `key_id` is of earlier versions, which sealed each entry."""


def canonical(entry: Item) -> bytes:
    """The bytes that an entry's hash covers: its JSON with sorted keys, without its own hash and its time to live."""
    content = {name: value for name, value in entry.items() if name not in UNCOVERED}
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_of_other_type
    ).encode()


def hash_of(previous: str, entry: Item) -> str:
    """SHA-256 in hex over the hash of the entry before and the entry. The seal of the head makes it binding."""
    return hashlib.sha256(previous.encode() + canonical(entry)).hexdigest()


def _of_other_type(value: Any) -> Any:
    """The JSON of a value of a type that our entries do not have: type and text; a whole number as `int`.

    So a forged item with a value of any type has a hash, which differs from that of an entry of ours.
    """
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    parts = sorted(map(repr, value)) if isinstance(value, set) else [repr(value)]
    return {"type": type(value).__name__, "value": parts}
