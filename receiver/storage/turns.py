"""A queue for each message group of a connection: its messages are sent in the order of arrival."""

import asyncio
from dataclasses import dataclass
from types import TracebackType

from receiver.errors import StoreUnavailableError


class Turns:
    """The last turn of each message group of one connection."""

    def __init__(self) -> None:
        self._last: dict[str, asyncio.Future[bool]] = {}

    def take(self, group: str) -> "Turn":
        """Returns the group's next turn, a context manager. It does not wait.

        Call it in the order of arrival, before the first `await`.
        """
        mine: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        before, self._last[group] = self._last.get(group), mine
        return Turn(self, group, before, mine)

    def give_back(self, group: str, turn: "asyncio.Future[bool]") -> None:
        """Removes the group when no turn waits after this one."""
        if self._last.get(group) is turn:
            del self._last[group]


@dataclass(eq=False, slots=True)
class Turn:
    """One message's turn in its group: the future of the message before it, and its own."""

    _turns: Turns
    _group: str
    _before: "asyncio.Future[bool] | None"
    _mine: "asyncio.Future[bool]"

    async def reached(self) -> None:
        """Waits until the group's previous message is on the queue.

        Raises `StoreUnavailableError` when that one failed: its sender will send it again, and this
        message must not be queued before it.
        """
        if self._before is not None and not await asyncio.shield(self._before):
            raise StoreUnavailableError("the previous message of the same group was not stored")

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
