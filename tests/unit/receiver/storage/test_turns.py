"""Turns: inside a group one after the other, across groups side by side."""

import asyncio

import pytest

from receiver.errors import StoreUnavailableError
from receiver.storage.turns import Turns


def test_a_group_goes_in_the_order_of_its_turns_whoever_is_ready_first() -> None:
    async def run() -> list[str]:
        turns, done = Turns(), []

        async def one(name: str, group: str, pauses: int) -> None:
            async with turns.take(group) as turn:
                for _ in range(pauses):
                    await asyncio.sleep(0)
                await turn.reached()
                done.append(name)

        await asyncio.gather(one("a1", "a", 9), one("a2", "a", 1), one("b1", "b", 3))
        return done

    assert asyncio.run(run()) == ["b1", "a1", "a2"]


def test_a_turn_after_a_failed_turn_fails_and_a_later_turn_succeeds() -> None:
    async def run() -> str:
        turns = Turns()
        first, second = turns.take("a"), turns.take("a")
        with pytest.raises(StoreUnavailableError):
            async with first:
                raise StoreUnavailableError("s3")
        with pytest.raises(StoreUnavailableError, match="previous message"):
            async with second:
                await second.reached()
        async with turns.take("a") as third:
            await third.reached()
        return "stored"

    assert asyncio.run(run()) == "stored"
