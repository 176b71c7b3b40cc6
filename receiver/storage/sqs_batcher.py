"""Sends queue messages in batches. SQS's result for each entry decides that message's answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from receiver.errors import StoreUnavailableError

# SendMessageBatch takes ten entries (Amazon SQS API Reference).
BATCH = 10
_TRIES = 2

Ask = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]


@dataclass(slots=True)
class _Entry:
    body: str
    group: str
    event_id: str
    sent: "asyncio.Future[None]" = field(repr=False)
    tries: int = 0


class SqsBatcher:
    """Batches envelopes for the queue.

    Await `send()` before sending the next message of a group. Entries of one batch fail independently:
    SQS may accept the second and reject the first (Amazon SQS API Reference, SendMessageBatch).
    """

    def __init__(self, ask: Ask, queue_url: str, linger: float) -> None:
        self._ask = ask
        self._queue_url = queue_url
        self._linger = linger
        self._waiting: list[_Entry] = []
        self._timer: asyncio.TimerHandle | None = None
        self._sending: set[asyncio.Task[None]] = set()

    async def send(self, body: str, group: str, event_id: str, *, alone: bool) -> None:
        """Returns when SQS has confirmed this entry, else raises `StoreUnavailableError`.

        `alone`: send at once, without waiting for other entries.
        """
        entry = _Entry(body, group, event_id, asyncio.get_running_loop().create_future())
        self._add(entry)
        if alone:
            self._flush()
        sent = entry.sent
        del entry
        try:
            await sent
        finally:
            # Its error holds this frame: held by the frame in turn, it would keep the message until a
            # collection of reference cycles.
            del sent

    def _add(self, entry: _Entry) -> None:
        self._waiting.append(entry)
        if len(self._waiting) >= BATCH:
            self._flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._linger, self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        # A cancelled entry got AR after `store_seconds`; its sender will send the message again.
        entries = [entry for entry in waiting if not entry.sent.done()]
        if entries:
            task = asyncio.get_running_loop().create_task(self._send(entries))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send(self, entries: list[_Entry]) -> None:
        request = {
            "QueueUrl": self._queue_url,
            "Entries": [
                {
                    "Id": str(number),
                    "MessageBody": entry.body,
                    "MessageGroupId": entry.group,
                    "MessageDeduplicationId": entry.event_id,
                }
                for number, entry in enumerate(entries)
            ],
        }
        try:
            answer = await self._ask("SendMessageBatch", request)
            confirmed = {one["Id"] for one in answer.get("Successful", ())}
            refused = {one["Id"]: one for one in answer.get("Failed", ())}
        except Exception as fault:
            # Fail every entry, so that no caller waits forever or answers AA. The callers log it.
            _fail_all(entries, fault)
            entries.clear()  # the fault holds this frame, and each entry the fault
        else:
            for number, entry in enumerate(entries):
                self._settle(entry, str(number) in confirmed, refused.get(str(number), {}))

    def _settle(self, entry: _Entry, confirmed: bool, refused: dict[str, Any]) -> None:
        if entry.sent.done():
            return
        entry.tries += 1
        if confirmed:
            entry.sent.set_result(None)
        elif refused and not refused.get("SenderFault") and entry.tries < _TRIES:
            self._add(entry)
        else:
            code = str(refused.get("Code", "no answer for the entry"))
            _fail(entry, StoreUnavailableError(f"sqs SendMessageBatch: {code}"))


def _fail_all(entries: list[_Entry], error: Exception) -> None:
    """Fails them in a frame of its own: the error's traceback must not hold an entry."""
    for entry in entries:
        _fail(entry, error)


def _fail(entry: _Entry, error: Exception) -> None:
    if not entry.sent.done():
        entry.sent.set_exception(error)
