"""Makes and checks the seal of a mail in the vault: DeliverNotification sends only mails that it wrote itself.

The seal is an HMAC-SHA256 with the audit key, in S3 metadata. It covers event id, delivery id and mail, so
that a sealed mail is not valid for another delivery.
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
    # As bytes: texts outside ASCII raise TypeError, and the metadata may be somebody else's.
    return hmac.compare_digest(mac.encode(), expected.encode())


def _sealed(event_id: str, delivery_id: str, mail: bytes) -> bytes:
    parts = [_PURPOSE, event_id, delivery_id, hashlib.sha256(mail).hexdigest()]
    return json.dumps(parts, separators=(",", ":")).encode()
