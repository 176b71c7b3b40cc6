"""Runs the endless tasks of the receiver: renewals, timeouts, metrics, accepting connections."""

import asyncio
from collections.abc import Callable, Coroutine

from receiver.telemetry.log import Log, where

_RESTART_SECONDS = 1.0


def in_background(
    name: str, forever: Callable[[], Coroutine[None, None, None]], log: Log
) -> asyncio.Task[None]:
    """Starts a task that runs `forever()` until it returns or is cancelled.

    An exception is logged, and the task begins again after a second: without it the receiver would
    serve on with old credentials, without timeouts, or accept no connection.
    """
    return asyncio.create_task(_run(name, forever, log))


async def _run(name: str, forever: Callable[[], Coroutine[None, None, None]], log: Log) -> None:
    while True:
        try:
            await forever()
        except Exception as error:
            log.error("background task failed and begins again", task=name, error=where(error))
            await asyncio.sleep(_RESTART_SECONDS)
        else:
            return
