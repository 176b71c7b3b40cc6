"""The delivery ledger's words, its key, and how an item of it is read.

One item per event, recipient and channel. DeliverNotification moves it through its states,
RecordFeedback adds what SES reports afterwards, operators read it.
"""

import hashlib
import json
import zlib
from datetime import UTC, datetime, timedelta
from functools import cache

from botocore.exceptions import ClientError

from lambdas.common.aws import client, dependency
from lambdas.common.clock import iso, now
from lambdas.common.items import Item, from_item, to_item
from lambdas.common.settings import required

CLAIMED = "claimed"
SENDING = "sending"
SENT = "sent"
REFUSED = "refused"
UNKNOWN = "unknown"
HELD = "held"
WITHHELD = "withheld"

STATES = (CLAIMED, SENDING, SENT, REFUSED, UNKNOWN, HELD, WITHHELD)
"""claimed: about to be sent · sending: the call may be under way · sent: SES took it ·
refused: for good · unknown: it may have gone, so it is not repeated · held: kept back, until
`release_at` or, without one, until a person lets it go · withheld: never told, because the hospital
withdrew the event first."""

ENDPOINT_BAD = "endpoint_bad"
CERTIFICATE_BAD = "certificate_bad"
PROBLEMS = (ENDPOINT_BAD, CERTIFICATE_BAD)
"""States of items that are no deliveries: what an operator has to mend about an address."""

PAUSED = "paused"
SWITCH = "switch#delivery"
"""The kill switch: while the item of this key is `paused`, every delivery is held."""


DUE_SHARDS = 4
"""Partitions of the index `by_due`. One takes 1,000 writes a second (DynamoDB's limit for a partition);
four take more than the workflow holds back in its busiest second. May grow, may not shrink."""

SHARE_OF_RELEASES = 0.8
"""Held deliveries leave a fifth of the rate to fresh ones, which so never wait behind a backlog."""

TAKE_UP_AFTER = timedelta(minutes=2)
"""A release that was begun so long ago has died: no function lives longer."""

RESEND_AFTER = timedelta(minutes=10)
"""How long an unknown delivery waits for SES's own event before the policy may send it again."""

NOT_DUE: Item = {"due_shard": None, "due_at": None}
"""The attributes of `due`, to be removed: settled, or a person decides."""


def due(delivery_id: str, moment: str) -> Item:
    """The attributes that put an item on the index `by_due` for the moment (ISO 8601, UTC).

    ReleaseDeliveries reads that index alone: when its time has come, an item is released, taken up
    again or sent again, by its state. Items without these attributes are not on the index.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-indexes-general-sparse-indexes.html
    """
    return {"due_shard": str(zlib.crc32(delivery_id.encode()) % DUE_SHARDS), "due_at": moment}


def due_after(delivery_id: str, wait: timedelta) -> Item:
    """`due` so long from now."""
    return due(delivery_id, iso(datetime.now(UTC) + wait))


@cache
def ledger_table() -> str:
    """The ledger's table name; raises `ConfigurationError` where it is not set."""
    return required("ENS_LEDGER_TABLE")


def delivery_id(event_id: str, recipient_ref: str, channel: str) -> str:
    """The ledger's key for one delivery: 32 hex digits, the same whenever it is asked."""
    parts = json.dumps([event_id, recipient_ref, channel], separators=(",", ":"))
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


def endpoint_key(endpoint_ref: str) -> str:
    """The key of what is known against an address; a corrected address has another and starts afresh."""
    return f"endpoint#{endpoint_ref}"


def certificate_key(endpoint_ref: str) -> str:
    """The key of what is known against the certificate of an address."""
    return f"certificate#{endpoint_ref}"


def mark(key: str, state: str, **facts: str) -> None:
    """Writes down a problem for the operator, or the switch; the newest word of it stands."""
    with dependency("dynamodb"):
        client("dynamodb").put_item(
            TableName=ledger_table(),
            Item=to_item({"delivery_id": key, "state": state, "updated_at": now(), **facts}),
        )


def tell_instead(item: Item) -> str:
    """Has the recipient's fallback told of the same event, by a held delivery that is due at once.

    Returns its id, "" where the directory names no fallback. Whoever has a delivery of this event
    already, or ever gets one, is not told twice: the key is the same.
    """
    fallback = item.get("fallback_ref", "")
    if not fallback or "task" not in item:
        return ""
    key = delivery_id(item["event_id"], fallback, item["channel"])
    kept = (
        *("event_id", "channel", "patient_ref", "encounter_ref", "kind", "task"),
        "identities_version",
    )
    held = {
        "delivery_id": key,
        "recipient_ref": fallback,
        "instead_of": item["recipient_ref"],
        "state": HELD,
        "hold_reason": "fallback",
        "release_at": now(),
        **due(key, now()),
        "claimed_at": now(),
        "updated_at": now(),
        "attempt_id": "",
        "lease_until": 0,
        **{name: item[name] for name in kept if name in item},
    }
    try:
        with dependency("dynamodb"):
            client("dynamodb").put_item(
                TableName=ledger_table(),
                Item=to_item(held),
                ConditionExpression="attribute_not_exists(delivery_id)",
            )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
    return key


def resend(delivery_id: str, *, once: bool) -> bool:
    """Lets an unknown delivery go out again, at once; whether it could. `once`: only the first time."""
    moment = now()
    return change(
        delivery_id,
        "SET #state = :held, hold_reason = :reason, release_at = :now, updated_at = :now,"
        " resent = :one, due_shard = :shard, due_at = :now",
        "#state = :unknown" + (" AND attribute_not_exists(resent)" if once else ""),
        {
            ":held": HELD,
            ":reason": "resend",
            ":now": moment,
            ":unknown": UNKNOWN,
            ":one": 1,
            ":shard": due(delivery_id, moment)["due_shard"],
        },
    )


def change(delivery_id: str, update: str, condition: str, values: Item) -> bool:
    """Whether the item was changed: the condition names the state as `#state`."""
    try:
        with dependency("dynamodb"):
            client("dynamodb").update_item(
                TableName=ledger_table(),
                Key=to_item({"delivery_id": delivery_id}),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues=to_item(values),
            )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


def read(delivery: str) -> Item | None:
    """The ledger's item, read consistently; None when there is no such delivery."""
    with dependency("dynamodb"):
        answer = client("dynamodb").get_item(
            TableName=ledger_table(), Key=to_item({"delivery_id": delivery}), ConsistentRead=True
        )
    return from_item(answer["Item"]) if "Item" in answer else None
