"""The message control ids seen lately, to notice one that comes back with another message."""

import hashlib
from collections import OrderedDict

_REMEMBERED = 20_000


class ControlIds:
    """Remembers the last of them in a few megabytes, as digests. ParseMessage's audit knows them all."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        # A plain dict finds its first key in the time that its deleted ones take.
        self._events: OrderedDict[bytes, bytes] = OrderedDict()

    def reused(self, identity: bytes, event_id: str) -> bool:
        """Whether this sender's control id stood for another event before; it stands for this one now."""
        digest = hashlib.blake2b(identity, digest_size=12).digest()
        event = bytes.fromhex(event_id)
        before = self._events.pop(digest, event)
        self._events[digest] = event
        if len(self._events) > self._remembered:
            self._events.popitem(last=False)
        return before != event
