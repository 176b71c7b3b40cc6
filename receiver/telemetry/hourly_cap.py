"""Limits how much is stored or logged of every peer in an hour, and counts the rest."""

import time
from dataclasses import dataclass

HOUR_SECONDS = 3600.0
MAX_PEERS = 1000
OTHERS = "others"
"""The name under which further peers are counted together."""
_OF_ALL = 10
"""All peers together may have as much as ten."""


@dataclass(slots=True)
class HourlyCount:
    """The items and bytes of one peer that were admitted in this hour, and those left out."""

    items: int = 0
    bytes: int = 0
    left_out: int = 0
    left_out_bytes: int = 0


class HourlyCap:
    """Admits at most `items` and `bytes` of each peer and hour, and ten times as much of all together."""

    def __init__(self, items: int, size: int) -> None:
        self._items = items
        self._bytes = size
        self._began = time.monotonic()
        self._peers: dict[str, HourlyCount] = {}
        self._all = HourlyCount()

    def admits(self, peer: str, size: int) -> bool:
        """Whether an item of this many bytes is within the limits. Counts it."""
        if peer not in self._peers and len(self._peers) >= MAX_PEERS:
            peer = OTHERS
        of_peer = self._peers.setdefault(peer, HourlyCount())
        admitted = all(
            count.items < factor * self._items and count.bytes + size <= factor * self._bytes
            for count, factor in ((of_peer, 1), (self._all, _OF_ALL))
        )
        for count in (of_peer, self._all):
            if admitted:
                count.items += 1
                count.bytes += size
            else:
                count.left_out += 1
                count.left_out_bytes += size
        return admitted

    def ended_hour(self, now: float) -> dict[str, HourlyCount]:
        """Begins a new hour when one is over, and returns the peers of which something was left out."""
        if now - self._began < HOUR_SECONDS:
            return {}
        return self.restart(now)

    def restart(self, now: float) -> dict[str, HourlyCount]:
        """Begins a new hour, and returns the peers of which something was left out in the last."""
        peers, self._peers, self._all, self._began = self._peers, {}, HourlyCount(), now
        return {peer: count for peer, count in peers.items() if count.left_out}
