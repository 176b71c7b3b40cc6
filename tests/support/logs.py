"""Makes what a step logs visible to pytest's capture."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def on_stdout(step_name: str) -> Iterator[None]:
    """For its duration the step's log goes to the present `sys.stdout`.

    Powertools binds its handler to the `sys.stdout` of the moment a step is imported, which is not
    the one that `capsys` watches.
    """
    handlers = [
        handler
        for handler in logging.getLogger(step_name).handlers
        if isinstance(handler, logging.StreamHandler)
    ]
    assert handlers, f"{step_name} has no log handler"
    before = [handler.stream for handler in handlers]
    try:
        # Not setStream: it flushes the stream of before, which pytest may have closed with an earlier test.
        for handler in handlers:
            handler.stream = sys.stdout
        yield
    finally:
        for handler, stream in zip(handlers, before, strict=True):
            handler.stream = sys.__stdout__ if stream.closed else stream
