"""The log that `on_stdout` lends to a test goes on afterwards where it went before."""

import logging
import sys

import pytest

from tests.support.logs import on_stdout


@pytest.mark.parametrize("own", ["stdout", "stderr"])
def test_the_stream_of_a_step_is_the_one_from_before(own: str) -> None:
    """`StreamHandler.setStream` returns None when the stream is the present one (Python docs)."""
    stream = getattr(sys, own)
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("StepOfThisTest")
    logger.addHandler(handler)
    try:
        with on_stdout("StepOfThisTest"):
            assert handler.stream is sys.stdout
        assert handler.stream is stream
    finally:
        logger.removeHandler(handler)
