"""Connections of one peer that wait for its share go on one after the other."""

import asyncio
import time
from collections.abc import Callable

from receiver.transport.shares import PeerShare, Shares


class FakeMember:
    """A connection of a peer with one waiting message; `is_lost`: it will never start it."""

    def __init__(self, shares: Shares, share: PeerShare, *, is_lost: bool = False) -> None:
        self.shares, self.share, self.is_lost = shares, share, is_lost
        self.unfinished_bytes, self.idle_since = 0, None
        self.started = 0

    def share_changed(self) -> None:
        if not self.is_lost and not self.started and self.shares.may_start(self.share, self):
            self.shares.started(self.share)
            self.started += 1

    def give_up_frame(self) -> None:
        """Never asked for here."""

    def give_up_place(self) -> None:
        """Never asked for here."""


def run(job: Callable[[Shares, PeerShare], list[FakeMember]]) -> list[int]:
    """The number of messages that each member has started once the peer's message in flight has ended.

    Another peer is active too, so that each may have one message in flight.
    """

    async def ended() -> list[int]:
        shares = Shares(1 << 20, max_in_flight=2)
        other, share = shares.of("10.0.0.2"), shares.of("10.0.0.1")
        shares.started(other)
        shares.started(share)
        members = job(shares, share)
        assert not any(shares.may_start(share, member) for member in members)
        shares.ended(share)
        await asyncio.sleep(0)
        return [member.started for member in members]

    return asyncio.run(ended())


def test_the_first_waiting_connection_goes_on_and_the_others_wait() -> None:
    assert run(lambda shares, share: [FakeMember(shares, share) for _ in range(3)]) == [1, 0, 0]


def test_a_connection_that_was_lost_while_it_waited_does_not_hold_up_the_next() -> None:
    assert run(
        lambda shares, share: [
            FakeMember(shares, share, is_lost=True),
            FakeMember(shares, share, is_lost=True),
            FakeMember(shares, share),
        ]
    ) == [0, 0, 1]


def test_all_waiting_connections_go_on_when_the_other_peer_is_done() -> None:
    async def job() -> list[int]:
        shares = Shares(1 << 20, max_in_flight=2)
        other, share = shares.of("10.0.0.2"), shares.of("10.0.0.1")
        shares.started(other)
        shares.started(share)
        members = [FakeMember(shares, share) for _ in range(3)]
        assert not any(shares.may_start(share, member) for member in members)
        shares.ended(other)
        shares.ended(share)
        await asyncio.sleep(0)
        return [member.started for member in members]

    assert asyncio.run(job()) == [1, 1, 1]


def test_connections_of_a_peer_take_turns_while_another_peer_is_active() -> None:
    async def job() -> list[int]:
        shares = Shares(1 << 20, max_in_flight=2)
        other, share = shares.of("10.0.0.2"), shares.of("10.0.0.1")
        shares.started(other)
        busy, waiting = FakeMember(shares, share), FakeMember(shares, share)
        busy.share_changed()
        waiting.share_changed()
        shares.ended(share)
        # The connection whose message has ended asks first, for its next one.
        assert not shares.may_start(share, busy)
        await asyncio.sleep(0)
        return [busy.started, waiting.started]

    assert asyncio.run(job()) == [1, 1]


def test_a_peer_that_paid_its_debt_goes_on_although_the_first_waiting_connection_is_lost() -> None:
    async def job() -> int:
        shares = Shares(1 << 20, max_in_flight=2)
        other, share = shares.of("10.0.0.2"), shares.of("10.0.0.1")
        shares.started(other)
        shares.started(share)
        lost, waiting = FakeMember(shares, share, is_lost=True), FakeMember(shares, share)
        assert not any(shares.may_start(share, one) for one in (lost, waiting))
        share.members.add(waiting)
        shares.spend(share, 10.0)
        shares.spend(other, 10.0)
        shares.end_period(time.monotonic() + 1)
        assert share.is_paused
        shares.ended(share)
        await asyncio.sleep(0)
        shares.end_period(time.monotonic() + 60)
        assert not share.is_paused
        return waiting.started

    assert asyncio.run(job()) == 1


def test_a_peer_that_reconnects_while_its_message_is_stored_is_no_second_peer() -> None:
    shares = Shares(1 << 20, max_in_flight=2)
    share = shares.of("10.0.0.1")
    shares.take_place(share)
    shares.started(share)
    shares.leave_place(share)
    assert shares.of("10.0.0.1") is share
    shares.ended(share)
    assert shares.of("10.0.0.1") is not share
