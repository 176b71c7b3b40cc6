"""Finds messages that come again, and control ids (MSH-10) that are used for another message."""

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import blake2b

from hl7.header import Header
from ops.feed.checking.places import Occurrences, Place

MAX_CONTROL_IDS = 200_000
"""Control ids that are remembered, about 40 MB."""
MAX_EVENTS = 4
"""Messages of one control id that are remembered."""


@dataclass(slots=True)
class ControlIdTally:
    """`same`: the message came before, at most with another MSH-7. `other`: MSH-10 named another message.

    `forgotten` counts earlier messages that later ones are no longer compared with.
    """

    maximum: int = MAX_CONTROL_IDS
    forgotten: int = 0
    same: Occurrences = field(default_factory=Occurrences)
    other: Occurrences = field(default_factory=Occurrences)
    _events: OrderedDict[bytes, tuple[bytes, ...]] = field(default_factory=OrderedDict)

    def is_copy(self, header: Header, event_id: str, place: Place) -> bool:
        """Counts a message. Returns whether it came before."""
        letterhead = header.letterhead
        identity = b"\r".join((letterhead.value(3), letterhead.value(4), header.control_id))
        digest, event = blake2b(identity, digest_size=8).digest(), bytes.fromhex(event_id)[:8]
        before = self._events.pop(digest, ())
        is_known = event in before
        remembered = before if is_known else (*before, event)[-MAX_EVENTS:]
        self._events[digest] = remembered
        self.forgotten += len(before) + (not is_known) - len(remembered)
        if len(self._events) > self.maximum:
            _, oldest = self._events.popitem(last=False)
            self.forgotten += len(oldest)
        if is_known:
            self.same.add(place)
        elif before:
            self.other.add(place)
        return is_known
