"""Runs the event loop: uvloop where it is installed, else asyncio's own."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

try:
    import uvloop
except ImportError:  # not built for this platform
    _new_loop = asyncio.new_event_loop
else:
    _new_loop = uvloop.new_event_loop

Result = TypeVar("Result")


def run(main: Coroutine[None, None, Result]) -> Result:
    """Runs the coroutine to its end in a new event loop."""
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(main)
