"""A connection before it is open: in its TLS handshake it has a place already, and can be told to leave it."""

import asyncio
import time


class Handshake:
    """The handshake of one connection, as a member of its peer's share. It holds no bytes of messages.

    `give_up` cancels the task that waits for its end; `why` is then the reason for the log.
    """

    unfinished_bytes = 0

    def __init__(self, task: "asyncio.Task[None] | None") -> None:
        self._task = task
        self.idle_since: float | None = time.monotonic()
        self.why = ""

    def share_changed(self) -> None:
        """Does nothing: no message is read before the handshake has ended."""

    def give_up_frame(self) -> None:
        """Does nothing: `unfinished_bytes` is 0."""

    def give_up_place(self) -> None:
        """Ends the handshake, because another peer has no connection."""
        self.give_up("place given to another peer")

    def give_up(self, why: str) -> None:
        """Ends the handshake. A later call has no effect."""
        if self._task is not None and not self.why:
            self.why, self.idle_since = why, None
            self._task.cancel()
