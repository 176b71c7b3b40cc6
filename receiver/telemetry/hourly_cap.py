"""Limits how much is kept of every peer in an hour, and counts the rest."""

import time
from dataclasses import dataclass

HOUR_SECONDS = 3600.0
MAX_PEERS = 1000
OTHERS = "others"
"""The name under which further peers are counted together."""
_OF_ALL = 10
"""All peers together may have as much as ten."""


@dataclass(slots=True)
class Kept:
    """The numbers of kept and dropped entries of one peer in this hour."""

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
        self._peers: dict[str, Kept] = {}
        self._all = Kept()

    def admits(self, peer: str, size: int) -> bool:
        """Whether an item of this many bytes is to be kept. Counts it."""
        if peer not in self._peers and len(self._peers) >= MAX_PEERS:
            peer = OTHERS
        of_peer = self._peers.setdefault(peer, Kept())
        admitted = all(
            kept.items < factor * self._items and kept.bytes + size <= factor * self._bytes
            for kept, factor in ((of_peer, 1), (self._all, _OF_ALL))
        )
        for kept in (of_peer, self._all):
            if admitted:
                kept.items += 1
                kept.bytes += size
            else:
                kept.left_out += 1
                kept.left_out_bytes += size
        return admitted

    def ended_hour(self, now: float) -> dict[str, Kept]:
        """Begins a new hour when one is over, and returns the peers of which something was left out."""
        if now - self._began < HOUR_SECONDS:
            return {}
        return self.restart(now)

    def restart(self, now: float) -> dict[str, Kept]:
        """Begins a new hour, and returns the peers of which something was left out in the last."""
        peers, self._peers, self._all, self._began = self._peers, {}, Kept(), now
        return {peer: kept for peer, kept in peers.items() if kept.left_out}
