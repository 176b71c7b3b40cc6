"""Runs the endless tasks of the receiver: renewals, timeouts, metrics, accepting connections."""

import asyncio
from collections.abc import Callable, Coroutine

from receiver.telemetry.log import Log, where

_RESTART_SECONDS = 1.0


Forever = Callable[[], Coroutine[None, None, None]]


def in_background(
    name: str, forever: Forever, log: Log, failed: Callable[[], None] = lambda: None
) -> asyncio.Task[None]:
    """Starts a task that runs `forever()` until it returns or is cancelled.

    An exception is logged, `failed()` is called to count it, and the task begins again after a second:
    without it the receiver would serve on with old credentials, without timeouts, or accept no connection.
    """
    return asyncio.create_task(_run(name, forever, log, failed))


async def _run(name: str, forever: Forever, log: Log, failed: Callable[[], None]) -> None:
    while True:
        try:
            await forever()
        except Exception as error:
            failed()
            log.error("background task failed and begins again", task=name, error=where(error))
            await asyncio.sleep(_RESTART_SECONDS)
        else:
            return
