"""A queue for each message group of a connection: its messages are sent in the order of arrival."""

import asyncio
import time
from dataclasses import dataclass, field
from types import TracebackType

from receiver.errors import StoreUnavailableError

_RESEND_SECONDS = 5.0
"""Time for which a group waits for the resend of a message that failed: its sender may have sent on meanwhile."""
_MAX_GROUPS, _MAX_EVENTS = 200, 20
"""Most groups of a connection that wait for resends, and most resends of one of them. Beyond, order is not kept."""


class OutOfTurnError(StoreUnavailableError):
    """Raised for a message whose predecessor in its group was not stored."""


@dataclass(slots=True)
class _Failed:
    """The events of a group that were not stored, in the order of arrival, and until when they are awaited."""

    until: float
    events: dict[str, None] = field(default_factory=dict)


class Turns:
    """The last turn of each message group of one connection, and the messages that it has to send again.

    `stored` counts the messages of the connection that were stored.
    """

    def __init__(self) -> None:
        self._last: dict[str, asyncio.Future[bool]] = {}
        self._failed: dict[str, _Failed] = {}
        self.stored = 0

    def take(self, group: str, event_id: str, *, resent: bool = True) -> "Turn":
        """Returns the group's next turn, a context manager. It does not wait.

        Call it in the order of arrival, before the first `await`. `resent`: if the message fails, its
        sender learns of it and sends it again.
        """
        mine: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        before, self._last[group] = self._last.get(group), mine
        return Turn(self, group, event_id, resent, before, mine)

    def is_next(self, group: str, event_id: str) -> bool:
        """Whether no other event of the group is to be sent again before this one."""
        failed = self._awaited(group)
        return failed is None or next(iter(failed.events)) == event_id

    def end(self, turn: "Turn", error: BaseException | None) -> None:
        """Removes the group when no turn waits after this one, and notes whether its message was stored."""
        group = turn.group
        if self._last.get(group) is turn.mine:
            del self._last[group]
        failed = self._awaited(group)
        if error is not None and turn.resent:
            self._await_resend(turn, failed, renew=not isinstance(error, OutOfTurnError))
        self.stored += error is None
        if error is None and failed is not None:
            failed.events.pop(turn.event_id, None)
            if not failed.events:
                del self._failed[group]

    def _awaited(self, group: str) -> _Failed | None:
        """The failed events of a group that are awaited still."""
        failed = self._failed.get(group)
        if failed is not None and failed.until < time.monotonic():
            del self._failed[group]
            return None
        return failed

    def _await_resend(self, turn: "Turn", failed: _Failed | None, *, renew: bool) -> None:
        until = time.monotonic() + _RESEND_SECONDS
        if failed is None:
            failed = self._failed[turn.group] = _Failed(until)
        elif renew:
            failed.until = until
        if len(failed.events) < _MAX_EVENTS:
            failed.events[turn.event_id] = None
        if len(self._failed) > _MAX_GROUPS:
            del self._failed[next(iter(self._failed))]


@dataclass(eq=False, slots=True)
class Turn:
    """One message's turn in its group: its event, the future of the message before it, and its own."""

    _turns: Turns
    group: str
    event_id: str
    resent: bool
    _before: "asyncio.Future[bool] | None"
    mine: "asyncio.Future[bool]"

    async def reached(self) -> None:
        """Waits until the group's previous message is on the queue.

        Raises `OutOfTurnError` when that one failed, or an earlier one has not been sent again yet: its
        sender will send it again, and this message must not be queued before it. A message whose sender
        asks for no answer is not held back: it would be lost.
        """
        stored = self._before is None or await asyncio.shield(self._before)
        if not self.resent:
            return
        if not stored or not self._turns.is_next(self.group, self.event_id):
            raise OutOfTurnError("the previous message of the same group was not stored")

    async def __aenter__(self) -> "Turn":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._turns.end(self, error)
        self.mine.set_result(error is None)
