"""The frames of a connection that wait or are being answered, in the order of their arrival."""

import asyncio
from collections import deque
from collections.abc import Iterable

from hl7.mllp import Frame


class PendingAnswer:
    """A frame's position in the queue of answers, with its task and its answer."""

    __slots__ = ("answer", "answered", "arrived_at", "bytes", "task")
    task: asyncio.Task[None]

    def __init__(self, arrived_at: float, size: int) -> None:
        self.arrived_at = arrived_at
        self.bytes = size
        self.answered = False
        self.answer: bytes | None = None


class AnswerQueue:
    """Frames in `backlog` wait for their start; those `in_flight` for their answer."""

    __slots__ = ("backlog", "held_bytes", "in_flight")

    def __init__(self) -> None:
        self.backlog: deque[tuple[Frame, PendingAnswer]] = deque()
        self.in_flight: deque[PendingAnswer] = deque()
        self.held_bytes = 0

    def add(self, frames: Iterable[Frame], arrived_at: float) -> None:
        """Adds frames to the backlog. `arrived_at` is monotonic."""
        for frame in frames:
            size = len(frame.message)
            self.held_bytes += size
            self.backlog.append((frame, PendingAnswer(arrived_at, size)))

    def start(self) -> tuple[Frame, PendingAnswer]:
        """Moves the first frame of the backlog to those in flight. Returns it with its place among the answers."""
        frame, place = self.backlog.popleft()
        self.in_flight.append(place)
        return frame, place

    def take_answered(self) -> list[PendingAnswer]:
        """Removes and returns the places before the first unanswered one."""
        answered = []
        while self.in_flight and self.in_flight[0].answered:
            place = self.in_flight.popleft()
            self.held_bytes -= place.bytes
            answered.append(place)
        return answered

    def drop_backlog(self) -> None:
        """Forgets the frames that were not started."""
        self.held_bytes -= sum(place.bytes for _, place in self.backlog)
        self.backlog.clear()
