"""Seals the mails in the vault, so that DeliverNotification sends only mails that it has written itself.

The seal is HMAC-SHA256 under the audit key, which the receiver and the steps before cannot read. It
covers event, delivery and mail, so that a sealed mail cannot be moved to another delivery.
"""

import hashlib
import hmac
import json

from lambdas.common.keys import KeyRing

METADATA = "seal"
"""Name of the S3 metadata that holds the seal: `<key id>.<64 hex digits>`."""

_PURPOSE = "mail"


def seal_of(keys: KeyRing, event_id: str, delivery_id: str, mail: bytes) -> str:
    """Returns the seal of a mail under the current key."""
    return f"{keys.current}.{keys.mac(_sealed(event_id, delivery_id, mail))}"


def is_sealed(seal: str, keys: KeyRing, event_id: str, delivery_id: str, mail: bytes) -> bool:
    """Whether the seal is that of this mail, under any key of the ring."""
    key_id, _, mac = seal.partition(".")
    if key_id not in keys.keys:
        return False
    expected = keys.mac(_sealed(event_id, delivery_id, mail), key_id)
    return hmac.compare_digest(mac, expected)


def _sealed(event_id: str, delivery_id: str, mail: bytes) -> bytes:
    parts = [_PURPOSE, event_id, delivery_id, hashlib.sha256(mail).hexdigest()]
    return json.dumps(parts, separators=(",", ":")).encode()
