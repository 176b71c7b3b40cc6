"""Fair shares of one process between peers: connections, bytes held, messages in flight, processor time.

A peer is a source address. While one peer is alone it may use everything. As soon as others want
something too, it gets an equal part, so that no peer can keep the others out.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Protocol

PERIOD_SECONDS = 0.05
"""Processor time is shared out in periods of this length: another peer waits about one of them."""
_BUSY = 0.6
"""Part of a period from which the processor counts as scarce."""


class Member(Protocol):
    """A connection, as its peer's share sees it."""

    @property
    def unfinished_bytes(self) -> int:
        """The bytes of its frame that has not ended."""

    @property
    def idle_since(self) -> float | None:
        """The monotonic time of the last received bytes; None while messages are answered, or it closes."""

    def share_changed(self) -> None:
        """Called when its share allows more, or less, than before."""

    def give_up_frame(self) -> None:
        """Rejects the unfinished frame and closes."""

    def give_up_place(self) -> None:
        """Closes the idle connection."""


@dataclass(eq=False, slots=True)
class PeerShare:
    """The use of one peer. `places` counts its connections, those being admitted among them."""

    address: str
    places: int = 0
    held_bytes: int = 0
    in_flight: int = 0
    busy_seconds: float = 0.0
    debt_seconds: float = 0.0
    is_full: bool = False
    """Whether it holds more than its part of the memory, so that its connections are not read."""
    members: set[Member] = field(default_factory=set)
    waiting: dict[Member, None] = field(default_factory=dict)

    @property
    def is_paused(self) -> bool:
        """Whether its connections wait: their peer has used more processor time than its part."""
        return self.debt_seconds > 0


class Shares:
    """The shares of all peers. `max_held_bytes` is the memory budget, `max_in_flight` that of storing."""

    def __init__(self, max_held_bytes: int, max_in_flight: int) -> None:
        self._max_held_bytes = max_held_bytes
        self._max_in_flight = max_in_flight
        self._peers: dict[str, PeerShare] = {}
        self._full: set[PeerShare] = set()
        self._paused: set[PeerShare] = set()
        self._busy: set[PeerShare] = set()
        self._active: set[PeerShare] = set()
        self._period_began = time.monotonic()
        self.held_bytes = 0
        self.places = 0

    def of(self, address: str) -> PeerShare:
        """Returns the peer's share, a new one for a new peer."""
        return self._peers.get(address) or PeerShare(address)

    def _forget_unused(self, share: PeerShare) -> None:
        """Forgets a peer that uses nothing any more.

        Messages in flight count although their connection is gone: else a peer that reconnects for each
        message would count as many peers, with an equal part for each.
        """
        in_use = share.places or share.in_flight or share.is_paused or share in self._busy
        if not in_use:
            self._peers.pop(share.address, None)

    # -- connections

    def take_place(self, share: PeerShare) -> None:
        """Counts a connection of the peer."""
        self._peers[share.address] = share
        share.places += 1
        self.places += 1

    def leave_place(self, share: PeerShare) -> None:
        """Counts one connection less."""
        share.places -= 1
        self.places -= 1
        self._forget_unused(share)

    def make_place(self, share: PeerShare) -> bool:
        """Closes an idle connection of the peer with the most, if this peer has fewer. Whether it did."""
        largest = max(self._peers.values(), key=lambda one: one.places, default=share)
        if largest.places <= share.places + 1:
            return False
        idle = [(since, one) for one in largest.members if (since := one.idle_since) is not None]
        if not idle:
            return False
        min(idle, key=lambda pair: pair[0])[1].give_up_place()
        return True

    # -- memory

    def hold(self, share: PeerShare, more: int) -> None:
        """Counts bytes that a connection holds now (`more` > 0) or no longer holds."""
        share.held_bytes += more
        self.held_bytes += more
        if self.held_bytes > self._max_held_bytes:
            self._relieve()
        if self._full or self.held_bytes > self._max_held_bytes // 2:
            self._judge_memory(share)

    def _relieve(self) -> None:
        """Gives up the largest unfinished frame of the peer that holds the most."""
        for share in sorted(self._peers.values(), key=lambda one: one.held_bytes, reverse=True):
            largest = max(share.members, key=lambda one: one.unfinished_bytes, default=None)
            if largest is not None and largest.unfinished_bytes:
                largest.give_up_frame()
                return

    def _judge_memory(self, share: PeerShare) -> None:
        """Stops the reading of a peer above its part of half the budget; lets others read again."""
        half = self._max_held_bytes // 2
        part = half // max(1, sum(1 for one in self._peers.values() if one.held_bytes))
        for one in (*self._full, share):
            # A peer that waits reads again at three quarters of its part, so that it does not stop
            # and go on with every read.
            limit = part * 3 // 4 if one.is_full else part
            full = self.held_bytes > half * 3 // 4 and one.held_bytes > limit
            if not one.is_full:
                full = full and self.held_bytes > half
            if full == one.is_full:
                continue
            one.is_full = full
            (self._full.add if full else self._full.discard)(one)
            _tell(one)

    # -- messages in flight

    def may_start(self, share: PeerShare, member: Member) -> bool:
        """Whether this connection may begin another message; else it is told later.

        While other peers are active, the connections of a peer take turns.
        """
        if share.debt_seconds > 0:
            return False
        is_next = next(iter(share.waiting), member) is member
        if not self._others(share) or (is_next and self._has_room(share)):
            share.waiting.pop(member, None)
            return True
        share.waiting[member] = None
        return False

    def _has_room(self, share: PeerShare) -> bool:
        """Whether the peer has fewer messages in flight than its part."""
        others = self._others(share)
        return not others or share.in_flight < max(1, self._max_in_flight // (others + 1))

    def _others(self, share: PeerShare) -> int:
        """The number of other peers with messages in flight."""
        return len(self._active) - (share in self._active)

    def started(self, share: PeerShare) -> None:
        """Counts a message that is being answered."""
        if not share.in_flight:
            self._active.add(share)
        share.in_flight += 1

    def ended(self, share: PeerShare) -> None:
        """Counts one less, and lets waiting connections of the peer go on."""
        share.in_flight -= 1
        if not share.in_flight:
            self._active.discard(share)
            self._forget_unused(share)
        if share.waiting:
            asyncio.get_running_loop().call_soon(self._wake, share)

    def _wake(self, share: PeerShare) -> None:
        """Lets the waiting connections of the peer go on, in order, as far as its part allows.

        A connection that was lost or blocked meanwhile starts no message: the next one has its chance.
        """
        while share.waiting and not share.is_paused and self._has_room(share):
            member, before = next(iter(share.waiting)), share.in_flight
            member.share_changed()
            if share.in_flight == before:
                share.waiting.pop(member, None)

    # -- processor time

    def spend(self, share: PeerShare, seconds: float) -> None:
        """Counts processor time that a peer's bytes have cost."""
        if not share.busy_seconds:
            self._busy.add(share)
            self._peers[share.address] = share
        share.busy_seconds += seconds
        now = time.monotonic()
        if now - self._period_began >= PERIOD_SECONDS:
            self.end_period(now)

    def end_period(self, now: float) -> None:
        """Shares the processor out: a peer above its part waits as long as it was above."""
        length, self._period_began = now - self._period_began, now
        wanting = self._busy | self._paused
        part = length / max(1, len(wanting))
        used = sum(one.busy_seconds for one in self._busy)
        scarce = len(wanting) > 1 and (used > _BUSY * length or bool(self._paused))
        self._busy.clear()
        for one in wanting:
            was_paused = one.is_paused
            debt = one.debt_seconds + one.busy_seconds - part
            # At most a second: one message that was slow to read must not cost its peer more.
            one.debt_seconds = min(max(0.0, debt), 1.0) if scarce else 0.0
            one.busy_seconds = 0.0
            (self._paused.add if one.is_paused else self._paused.discard)(one)
            if was_paused != one.is_paused:
                one.waiting.clear()  # all are told, and those that still wait come back
                _tell(one)
            self._forget_unused(one)

    async def share_out(self) -> None:
        """Ends each period in time, until cancelled."""
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            now = time.monotonic()
            if (self._busy or self._paused) and now - self._period_began >= PERIOD_SECONDS:
                self.end_period(now)


def _tell(share: PeerShare) -> None:
    for member in tuple(share.members):
        member.share_changed()
