"""Order inside a message group on one connection: sends to the queue happen in the order of arrival."""

import asyncio
from types import TracebackType

from receiver.errors import StoreUnavailableError


class Turns:
    """Hands out turns, group by group; for one connection."""

    def __init__(self) -> None:
        self._last: dict[str, asyncio.Future[bool]] = {}

    def take(self, group: str) -> "Turn":
        """A turn behind all that the group has taken before; to be entered with `async with`.

        Taking does not wait: it must happen in the order of arrival, before anything is awaited.
        """
        mine: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        before, self._last[group] = self._last.get(group), mine
        return Turn(self, group, before, mine)

    def give_back(self, group: str, turn: "asyncio.Future[bool]") -> None:
        """Forgets the group when nobody waits behind this turn."""
        if self._last.get(group) is turn:
            del self._last[group]


class Turn:
    """One message's place in its group."""

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
        """Waits until the message before is on the queue.

        Raises `StoreUnavailableError` when that one failed: its sender sends it again, and it must not
        find its successor in front of it.
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
