"""Writes audit chains as earlier versions of this project did: an HMAC in each entry, no seal of the head."""

from typing import Any

from lambdas.common.audit.canonical import GENESIS, HEAD, canonical
from lambdas.common.aws.items import Item, to_item
from lambdas.common.function.context import Context
from lambdas.common.keys import KeyRing

RING = KeyRing("k1", {"k1": b"secret of audit-key"})
"""The audit key of the tests' secret (tests/conftest.py)."""


def older_items(event_id: str, day: str, *actions: str, ring: KeyRing = RING) -> list[Item]:
    """The entries and the head of an event, all of one day."""
    items: list[Item] = []
    previous = GENESIS
    for sequence, action in enumerate(actions, 1):
        moment = f"{day}T10:00:{sequence:02d}.000Z"
        content: dict[str, Any] = {
            "event_id": event_id,
            "sk": f"{sequence:08d}",
            "seq": sequence,
            "time": moment,
            "day": day,
            "outcome_time": f"ok#{moment}",
            "started_at": moment,
            "step": "ParseMessage",
            "actor": "lambda:ParseMessage",
            "action": action,
            "outcome": "ok",
            "prev_hash": previous,
        }
        previous = ring.mac(previous.encode() + canonical(content))
        items.append({**content, "hash": previous, "key_id": ring.current})
    return [*items, {"event_id": event_id, "sk": HEAD, "seq": len(actions), "hash": previous}]


def write(context: Context, items: list[Item]) -> None:
    """Puts items into the audit table."""
    for item in items:
        context.client("dynamodb").put_item(
            TableName=context.settings.audit_table, Item=to_item(item)
        )
