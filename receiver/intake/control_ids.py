"""Recent message control ids (MSH-10), to detect one that is used for another message."""

import hashlib
from collections import OrderedDict

_REMEMBERED = 20_000


class ControlIds:
    """The last `remembered` ids as digests, a few megabytes. ParseMessage compares with all earlier ones."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        # Not a plain dict: finding its first key is slow after many deletions.
        self._events: OrderedDict[bytes, bytes] = OrderedDict()

    def reused(self, identity: bytes, event_id: str) -> bool:
        """Whether this sender used the control id for another event before. Records it for this one."""
        digest = hashlib.blake2b(identity, digest_size=12).digest()
        event = bytes.fromhex(event_id)
        before = self._events.pop(digest, event)
        self._events[digest] = event
        if len(self._events) > self._remembered:
            self._events.popitem(last=False)
        return before != event
