"""Evaluate the states of workflows on threads that are used again.

moto starts a thread for each task of an execution, and another for each retry, and keeps every one of
them in a list for ever. To start one takes as long as a short call.
"""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from types import SimpleNamespace
from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec import execute_state

from local.patches.patching import replace

IDLE_SECONDS = 30.0
"""Time after which a thread that has nothing to do ends."""

Work = Callable[[], Any]

_idle: list["_Worker"] = []


def install() -> None:
    """Changes the tasks of this process's moto; calling it again changes nothing."""
    replace(execute_state, "Thread", _Task)
    replace(execute_state, "TMP_THREADS", SimpleNamespace(append=lambda _: None))


class _Task:
    """The part of a thread that moto uses: its start."""

    def __init__(self, target: Work, daemon: bool) -> None:
        assert daemon
        self._target = target

    def start(self) -> None:
        try:
            worker = _idle.pop()
        except IndexError:
            worker = _Worker()
        worker.work.put(self._target)


class _Worker:
    """A thread and the work that it waits for. In `_idle` while it has none."""

    def __init__(self) -> None:
        self.work: SimpleQueue[Work] = SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while (work := self._next()) is not None:
            work()
            _idle.append(self)

    def _next(self) -> Work | None:
        try:
            return self.work.get(timeout=IDLE_SECONDS)
        except Empty:
            pass
        try:
            _idle.remove(self)
        except ValueError:
            return self.work.get()  # it was taken meanwhile, and its work is on the way
        return None
