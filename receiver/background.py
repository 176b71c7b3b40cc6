"""Runs the endless tasks of the receiver: renewals, timeouts, metrics, accepting connections."""

import asyncio
import time
from collections.abc import Callable, Coroutine

from receiver.telemetry.log import Log, where

_RESTART_SECONDS = 1.0
_MAX_FAILURES = 10
"""Failures in a row after which a task that the receiver cannot do without ends the process."""
_SOUND_SECONDS = 600.0
"""A task that ran so long without a failure is sound: its earlier failures are forgotten."""


Forever = Callable[[], Coroutine[None, None, None]]


def in_background(
    name: str,
    forever: Forever,
    log: Log,
    failed: Callable[[], None] = lambda: None,
    *,
    give_up: Callable[[], None] | None = None,
) -> asyncio.Task[None]:
    """Starts a task that runs `forever()` until it returns or is cancelled.

    An exception is logged, `failed()` is called to count it, and the task begins again after a second:
    without it the receiver would serve on with old credentials, without timeouts, or accept no connection.
    After `_MAX_FAILURES` in a row `give_up()` is called instead, where it is given. It ends the process,
    and ECS starts a new task (Amazon ECS Developer Guide, "Service scheduler concepts").
    """
    return asyncio.create_task(_run(name, forever, log, failed, give_up))


async def _run(
    name: str,
    forever: Forever,
    log: Log,
    failed: Callable[[], None],
    give_up: Callable[[], None] | None,
) -> None:
    failures = 0
    while True:
        began = time.monotonic()
        try:
            await forever()
        except Exception as error:
            failed()
            failures = 1 if time.monotonic() - began > _SOUND_SECONDS else failures + 1
            if give_up is not None and failures >= _MAX_FAILURES:
                log.error(
                    "background task keeps failing: the receiver ends",
                    task=name,
                    failures=failures,
                    error=where(error),
                )
                give_up()
                return
            log.error("background task failed and begins again", task=name, error=where(error))
            await asyncio.sleep(_RESTART_SECONDS)
        else:
            return
