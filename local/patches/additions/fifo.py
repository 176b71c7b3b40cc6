"""Adds to moto's queues the deduplication ids of FIFO queues and the use by several threads.

SQS knows a deduplication id for five minutes, deleted message or not, and answers 200 to a copy
that it swallows. A message that it moves to the dead-letter queue is deduplicated there by its own
message id (AWS: "Using dead-letter queues in Amazon SQS").
"""

import functools
import time
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from moto.core.utils import unix_time_millis
from moto.sqs.models import Message, Queue, SQSBackend

from local.patches.patching import replace

REMEMBERED_MS = 5 * 60 * 1000
_MAX_WAIT_SECONDS = 1.0  # moto sends no signal when a visibility timeout or a delay ends

_seen: WeakKeyDictionary[Queue, dict[str, float]] = WeakKeyDictionary()
_add_message = Queue.add_message
_receive_message = SQSBackend.receive_message


def install() -> None:
    """Adds both to every queue of this process's moto; calling it again changes nothing."""
    if Queue.add_message is _add_once:
        return
    replace(Queue, "add_message", _add_once)
    replace(SQSBackend, "receive_message", _receive)
    for name in ("delete_message", "change_message_visibility"):
        replace(SQSBackend, name, _one_at_a_time(getattr(SQSBackend, name)))


def return_now(queue: Queue) -> int:
    """Ends the visibility timeout of every message in flight; returns how many there were."""
    with queue._messages_lock:
        hidden = [message for message in queue._messages if not message.visible]
        for message in hidden:
            message.visible_at = 0.0
        queue._messages_lock.notify_all()
    return len(hidden)


def _add_once(queue: Queue, message: Message) -> None:
    with queue._messages_lock:
        if not queue.fifo_queue or _is_new(queue, message):
            _add_message(queue, message)


def _is_new(queue: Queue, message: Message) -> bool:
    moved_by_sqs = message.approximate_receive_count > 0
    if moved_by_sqs:
        message.deduplication_id = message.id
    if message.deduplication_id is None:
        return True
    now, seen = unix_time_millis(), _seen.setdefault(queue, {})
    while seen and now - next(iter(seen.values())) >= REMEMBERED_MS:
        del seen[next(iter(seen))]
    is_new = message.deduplication_id not in seen
    seen.setdefault(message.deduplication_id, now)
    return is_new


def _receive(
    backend: SQSBackend, queue_name: str, count: int, wait_seconds: int, *args: Any, **kwargs: Any
) -> list[Message]:
    """A long poll that sees changes during its wait. moto's own uses the groups that were blocked at its start."""
    changed, ends_at = backend.get_queue(queue_name)._messages_lock, time.monotonic() + wait_seconds
    with changed:
        while True:
            found: list[Message] = _receive_message(backend, queue_name, count, 0, *args, **kwargs)
            left = ends_at - time.monotonic()
            if found or left <= 0:
                return found
            changed.wait(min(left, _MAX_WAIT_SECONDS))


def _one_at_a_time(method: Callable[..., Any]) -> Callable[..., Any]:
    """`method(backend, queue_name, …)` under the queue's lock, which a long poll lets go while it waits.

    A waiting long poll reads the queue again afterwards.
    """

    @functools.wraps(method)
    def locked(backend: SQSBackend, queue_name: str, *args: Any, **kwargs: Any) -> Any:
        changed = backend.get_queue(queue_name)._messages_lock
        with changed:
            try:
                return method(backend, queue_name, *args, **kwargs)
            finally:
                changed.notify_all()

    return locked
