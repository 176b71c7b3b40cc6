"""A message is freed when it is answered, whatever the services answer, and not at a later collection.

The receiver collects seldom: an error that keeps its message in a reference cycle adds its two
megabytes to the memory for each copy that a sender repeats (CPython documentation, "gc").
"""

import gc
from collections.abc import Callable, Iterator

import pytest

from receiver.storage.aws_client.calls import Call
from receiver.storage.aws_client.http import ExchangeError
from receiver.storage.store import IncomingMessage
from tests.functional.receiver.world import ReceiverWorld, adt, error_of, eventually

# An error each time: one that is raised again holds the frames of each time.
FAULTS: dict[str, tuple[str, Callable[[], Exception]]] = {
    "s3 answers an error": ("PutObject", lambda: error_of("s3")),
    "s3 refuses": ("PutObject", lambda: error_of("s3", "AccessDenied", 403)),
    "s3 has a conflict": (
        "PutObject",
        lambda: error_of("s3", "ConditionalRequestConflict", 409),
    ),
    "s3 does not answer": ("PutObject", lambda: ExchangeError("the connection broke")),
    "sqs answers an error": ("SendMessageBatch", lambda: error_of("sqs")),
    "sqs does not answer": ("SendMessageBatch", lambda: ExchangeError("the connection broke")),
}


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Nothing is freed but by its last reference."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def kept() -> list[object]:
    """The messages and the requests with their bytes that are still in memory."""
    return [one for one in gc.get_objects() if isinstance(one, IncomingMessage | Call)]


def test_a_repeated_message_is_freed_with_its_answer(
    world: ReceiverWorld, no_collection: None
) -> None:
    with world.connect() as sender:
        for _ in range(3):
            assert sender.ask(adt()) == "AA NG-1"
        assert eventually(lambda: not kept())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_message_that_cannot_be_stored_is_freed_with_its_answer(
    world: ReceiverWorld, no_collection: None, fault: str
) -> None:
    operation, error = FAULTS[fault]

    def fail() -> None:
        raise error()

    world.faults.before[operation] = fail
    with world.connect() as sender:
        for _ in range(3):
            assert sender.ask(adt()) == "AR NG-1"
        world.faults.mend()
        assert sender.ask(adt()) == "AA NG-1"
        assert eventually(lambda: not kept())


@pytest.mark.parametrize("operation", ["PutObject", "SendMessageBatch"])
def test_a_message_whose_service_is_too_slow_is_freed_when_its_call_ends(
    start: Callable[..., ReceiverWorld], no_collection: None, operation: str
) -> None:
    world = start(store_seconds=0.3)
    with world.connect() as sender:
        with world.faults.hold(operation):
            assert sender.ask(adt()) == "AR NG-1"
        assert eventually(lambda: not kept())
