"""Turns: inside a group one after the other, across groups side by side."""

import asyncio

import pytest

from receiver.errors import StoreUnavailableError
from receiver.storage.turns import OutOfTurnError, Turns


def test_a_group_goes_in_the_order_of_its_turns_whoever_is_ready_first() -> None:
    async def run() -> list[str]:
        turns, done = Turns(), []

        async def one(name: str, group: str, pauses: int) -> None:
            async with turns.take(group, name) as turn:
                for _ in range(pauses):
                    await asyncio.sleep(0)
                await turn.reached()
                done.append(name)

        await asyncio.gather(one("a1", "a", 9), one("a2", "a", 1), one("b1", "b", 3))
        return done

    assert asyncio.run(run()) == ["b1", "a1", "a2"]


async def fail(turns: Turns, event_id: str) -> None:
    with pytest.raises(StoreUnavailableError, match="s3"):
        async with turns.take("a", event_id):
            raise StoreUnavailableError("s3")


async def send(turns: Turns, event_id: str) -> bool:
    """Whether the message has its turn."""
    try:
        async with turns.take("a", event_id) as turn:
            await turn.reached()
    except OutOfTurnError:
        return False
    return True


def test_a_turn_after_a_failed_turn_fails() -> None:
    async def run() -> None:
        turns = Turns()
        first, second = turns.take("a", "1"), turns.take("a", "2")
        with pytest.raises(StoreUnavailableError):
            async with first:
                raise StoreUnavailableError("s3")
        with pytest.raises(OutOfTurnError, match="previous message"):
            async with second:
                await second.reached()

    asyncio.run(run())


def test_messages_of_a_group_wait_until_those_that_failed_before_them_were_sent_again() -> None:
    async def run() -> list[bool]:
        turns = Turns()
        await fail(turns, "1")
        sent = [await send(turns, event_id) for event_id in ("2", "3", "1", "3", "2", "3", "4")]
        assert turns.stored == sum(sent)
        return sent

    assert asyncio.run(run()) == [False, False, True, False, True, True, True]


def test_a_group_waits_no_longer_for_a_message_that_its_sender_gave_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run() -> None:
        turns, clock = Turns(), [100.0]
        monkeypatch.setattr("time.monotonic", lambda: clock[0])
        await fail(turns, "1")
        for clock[0] in (101.0, 104.9):
            assert not await send(turns, "2"), "the wait is not renewed by those that wait"
        clock[0] = 105.1
        await fail(turns, "3")
        assert await send(turns, "3"), "the first one is no longer awaited"

    asyncio.run(run())


def test_what_is_noted_of_failed_messages_is_bounded() -> None:
    async def run() -> int:
        turns = Turns()
        for number in range(400):
            with pytest.raises(StoreUnavailableError):
                async with turns.take(f"group {number}", "1"):
                    raise StoreUnavailableError("s3")
            await fail(turns, f"event {number}")
        return sum(len(one.events) for one in turns._failed.values())

    assert asyncio.run(run()) < 300
