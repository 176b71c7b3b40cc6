"""Sends are gathered, and what SQS says of each entry decides that message alone."""

import asyncio
from typing import Any

import pytest

from receiver.errors import StoreUnavailableError
from receiver.storage.sqs_batcher import SqsBatcher

Answer = dict[str, Any]


class Queue:
    """Takes batches; `failing` says for an entry's id how often SQS rejects it, and with which code."""

    def __init__(self, **failing: list[Answer]) -> None:
        self.batches: list[list[str]] = []
        self.failing = failing
        self.error: Exception | None = None

    async def ask(self, operation: str, request: Answer) -> Answer:
        assert operation == "SendMessageBatch"
        self.batches.append([entry["MessageDeduplicationId"] for entry in request["Entries"]])
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        answer: Answer = {"Successful": [], "Failed": []}
        for entry in request["Entries"]:
            failures = self.failing.get(entry["MessageDeduplicationId"])
            if failures:
                answer["Failed"].append({"Id": entry["Id"], **failures.pop(0)})
            else:
                answer["Successful"].append({"Id": entry["Id"]})
        return answer


def outcomes(queue: Queue, *names: str, alone: bool = False) -> list[Any]:
    async def send_all() -> list[Any]:
        outbox = SqsBatcher(queue.ask, "queue", 0.001)
        return await asyncio.gather(
            *(outbox.send("{}", f"group {name}", name, alone=alone) for name in names),
            return_exceptions=True,
        )

    return asyncio.run(send_all())


def test_what_comes_together_goes_together_ten_at_a_time() -> None:
    queue = Queue()
    assert outcomes(queue, *(f"m{n}" for n in range(23))) == [None] * 23
    assert sorted(map(len, queue.batches)) == [3, 10, 10]


def test_who_is_alone_does_not_wait() -> None:
    queue = Queue()

    async def send() -> None:
        await SqsBatcher(queue.ask, "queue", 3600).send("{}", "g", "m", alone=True)

    asyncio.run(asyncio.wait_for(send(), 1))
    assert queue.batches == [["m"]]


def test_one_failed_entry_fails_alone() -> None:
    queue = Queue(b=[{"SenderFault": True, "Code": "InvalidMessageContents"}])
    first, second, third = outcomes(queue, "a", "b", "c")
    assert (first, third) == (None, None)
    assert isinstance(second, StoreUnavailableError)
    assert "InvalidMessageContents" in str(second)


def test_an_entry_that_the_queue_could_not_take_is_tried_once_more() -> None:
    fault = {"SenderFault": False, "Code": "InternalError"}
    assert outcomes(Queue(b=[fault]), "a", "b") == [None, None]
    queue = Queue(b=[fault, fault])
    first, second = outcomes(queue, "a", "b")
    assert first is None
    assert isinstance(second, StoreUnavailableError)
    assert queue.batches == [["a", "b"], ["b"]]


def test_an_entry_without_a_word_is_not_confirmed() -> None:
    class Silent(Queue):
        async def ask(self, operation: str, request: Answer) -> Answer:
            return {"Successful": [{"Id": "0"}]}

    first, second = outcomes(Silent(), "a", "b")
    assert first is None
    assert isinstance(second, StoreUnavailableError)


@pytest.mark.parametrize("error", [StoreUnavailableError("down"), ZeroDivisionError()])
def test_a_batch_that_fails_fails_for_all_its_entries(error: Exception) -> None:
    queue = Queue()
    queue.error = error
    assert outcomes(queue, "a", "b") == [error, error]


def test_who_has_given_up_is_not_sent() -> None:
    queue = Queue()

    async def send() -> None:
        outbox = SqsBatcher(queue.ask, "queue", 0.02)
        impatient = asyncio.create_task(outbox.send("{}", "g", "impatient", alone=False))
        patient = asyncio.create_task(outbox.send("{}", "g", "patient", alone=False))
        await asyncio.sleep(0)
        impatient.cancel()
        await patient

    asyncio.run(send())
    assert queue.batches == [["patient"]]
