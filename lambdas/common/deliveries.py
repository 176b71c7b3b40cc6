"""The delivery ledger's words, its key, and how an item of it is read.

One item per event, recipient and channel. DeliverNotification moves it through its states,
RecordFeedback adds what SES reports afterwards, operators read it.
"""

import hashlib
import json
from functools import cache

from lambdas.common.aws import client, dependency
from lambdas.common.items import Item, from_item, to_item
from lambdas.common.settings import required

CLAIMED = "claimed"
SENDING = "sending"
SENT = "sent"
REFUSED = "refused"
UNKNOWN = "unknown"
HELD = "held"

STATES = (CLAIMED, SENDING, SENT, REFUSED, UNKNOWN, HELD)
"""claimed: about to be sent · sending: the call may be under way · sent: SES took it ·
refused: for good · unknown: it may have gone, so it is not repeated · held: kept back by a person."""


@cache
def ledger_table() -> str:
    """The ledger's table name; raises `ConfigurationError` where it is not set."""
    return required("ENS_LEDGER_TABLE")


def delivery_id(event_id: str, recipient_ref: str, channel: str) -> str:
    """The ledger's key for one delivery: 32 hex digits, the same whenever it is asked."""
    parts = json.dumps([event_id, recipient_ref, channel], separators=(",", ":"))
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


def read(delivery: str) -> Item | None:
    """The ledger's item, read consistently; None when there is no such delivery."""
    with dependency("dynamodb"):
        answer = client("dynamodb").get_item(
            TableName=ledger_table(), Key=to_item({"delivery_id": delivery}), ConsistentRead=True
        )
    return from_item(answer["Item"]) if "Item" in answer else None
