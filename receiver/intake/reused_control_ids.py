"""Recent message control ids (MSH-10), to detect one that is used for another message."""

import hashlib
from collections import OrderedDict

_MAX_IDS = 20_000


class ControlIds:
    """The digests of the last 20,000 ids, a few megabytes.

    A restart empties it. ParseMessage compares with all earlier messages in DynamoDB.
    """

    def __init__(self) -> None:
        # Not a plain dict: finding its first key is slow after many deletions.
        self._events: OrderedDict[bytes, bytes] = OrderedDict()

    def reused(self, identity: bytes, event_id: str) -> bool:
        """Returns whether this identity belongs to another event, and records it for this one.

        `identity` is MSH-3, MSH-4 and MSH-10 as bytes, `event_id` is in hex.
        """
        digest = hashlib.blake2b(identity, digest_size=12).digest()
        event = bytes.fromhex(event_id)
        before = self._events.pop(digest, event)
        self._events[digest] = event
        if len(self._events) > _MAX_IDS:
            self._events.popitem(last=False)
        return before != event
