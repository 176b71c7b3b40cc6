"""Keeps sends of one message group on one connection in the order of arrival."""

import asyncio
from types import TracebackType

from receiver.errors import StoreUnavailableError


class Turns:
    """The turns of one connection, by message group."""

    def __init__(self) -> None:
        self._last: dict[str, asyncio.Future[bool]] = {}

    def take(self, group: str) -> "Turn":
        """Returns the group's next turn, for `async with`.

        Does not wait. Call it in the order of arrival, before the first `await`.
        """
        mine: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        before, self._last[group] = self._last.get(group), mine
        return Turn(self, group, before, mine)

    def give_back(self, group: str, turn: "asyncio.Future[bool]") -> None:
        """Removes the group when no turn waits after this one."""
        if self._last.get(group) is turn:
            del self._last[group]


class Turn:
    """One message's turn in its group."""

    def __init__(
        self,
        turns: Turns,
        group: str,
        before: "asyncio.Future[bool] | None",
        mine: "asyncio.Future[bool]",
    ) -> None:
        self._turns = turns
        self._group = group
        self._before = before
        self._mine = mine

    async def reached(self) -> None:
        """Waits until the previous message is on the queue.

        Raises `StoreUnavailableError` when that one failed: its sender repeats it, and this message
        must not overtake it.
        """
        if self._before is not None and not await asyncio.shield(self._before):
            raise StoreUnavailableError("the message before it in its group was not stored")

    async def __aenter__(self) -> "Turn":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._mine.set_result(kind is None)
        self._turns.give_back(self._group, self._mine)
