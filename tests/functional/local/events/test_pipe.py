"""The pipe as it treats a message: one execution each, deleted when that succeeds, left when it does not."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.events import pipe
from local.events.pipe import PipeRunner
from local.patches.additions import execution_ends

SOURCE = "arn:aws:sqs:us-east-1:123456789012:hl7-ens-local-events.fifo"
PROPERTIES = {"RoleArn": "arn:aws:iam::123456789012:role/pipe", "Source": SOURCE, "Target": "arn:m"}


class FakeAws:
    """A queue that hands out what is put into it, and a workflow whose executions end when told."""

    def __init__(self) -> None:
        self.arriving: queue.Queue[Any] = queue.Queue()
        self.started: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.endings: dict[str, str] = {}
        self.stopped = False
        self.changed = threading.Condition()

    def put(self, message_id: str) -> None:
        self.arriving.put(
            {
                "MessageId": message_id,
                "ReceiptHandle": f"receipt of {message_id}",
                "Body": "{}",
                "MD5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
                "Attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": "g"},
            }
        )

    def get_queue_url(self, **_: Any) -> Any:
        return {"QueueUrl": "http://127.0.0.1/queue"}

    def receive_message(self, **asked: Any) -> Any:
        assert asked["MaxNumberOfMessages"] == 1
        try:
            found = self.arriving.get(timeout=0.02)
        except queue.Empty:
            return {}
        if isinstance(found, Exception):
            raise found
        return {"Messages": [found]}

    def delete_message(self, *, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803  boto3's name
        self.deleted.append(ReceiptHandle)

    def start_execution(self, **asked: Any) -> Any:
        self.started.append(asked)
        return {"executionArn": f"execution-{len(self.started)}"}

    def wait(self, execution: str, seconds: float) -> str | None:
        assert seconds == pipe.CUT_AFTER
        with self.changed:
            self.changed.wait_for(lambda: execution in self.endings or self.stopped, 5)
            return self.endings.get(execution)

    def end(self, execution: str, status: str) -> None:
        with self.changed:
            self.endings[execution] = status
            self.changed.notify_all()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    """The fake, and a pipe that runs on it until the end of the test."""
    fake = FakeAws()
    monkeypatch.setattr(pipe, "client", lambda *_: fake)
    monkeypatch.setattr(execution_ends, "wait", fake.wait)
    monkeypatch.setattr(pipe, "ERROR_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(pipe, "STOP_SECONDS", 0.1)
    running = PipeRunner(PROPERTIES, 0)
    running.start()
    yield fake
    with fake.changed:
        fake.stopped = True
        fake.changed.notify_all()
    running.stop()


def soon(happens: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not happens() and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    return happens()


def test_a_message_is_deleted_when_its_execution_has_succeeded(aws: FakeAws) -> None:
    aws.put("one")
    assert soon(lambda: len(aws.started) == 1)
    assert aws.deleted == []

    aws.end("execution-1", "SUCCEEDED")

    assert soon(lambda: aws.deleted == ["receipt of one"])


@pytest.mark.parametrize("ending", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_a_message_stays_when_its_execution_has_not_succeeded(aws: FakeAws, ending: str) -> None:
    aws.end("execution-1", ending)
    aws.put("one")
    aws.end("execution-2", "SUCCEEDED")
    assert soon(lambda: len(aws.started) == 1)

    aws.put("two")

    assert soon(lambda: aws.deleted == ["receipt of two"])


def test_a_message_stays_when_its_execution_does_not_end(aws: FakeAws) -> None:
    aws.put("one")
    assert soon(lambda: len(aws.started) == 1)

    aws.stopped = True
    aws.end("another", "SUCCEEDED")
    aws.end("execution-2", "SUCCEEDED")
    aws.put("two")

    assert soon(lambda: aws.deleted == ["receipt of two"])


def test_several_executions_run_at_once(aws: FakeAws) -> None:
    for name in ("one", "two", "three"):
        aws.put(name)

    assert soon(lambda: len(aws.started) == 3)


def test_the_workflow_is_given_a_list_with_one_record_of_sqs_shape(aws: FakeAws) -> None:
    aws.put("one")
    assert soon(lambda: len(aws.started) == 1)

    assert aws.started[0]["stateMachineArn"] == "arn:m"
    assert aws.started[0]["name"]
    assert '[{"messageId": "one", "receiptHandle": "receipt of one"' in aws.started[0]["input"]
    assert f'"eventSourceARN": "{SOURCE}"' in aws.started[0]["input"]


def test_a_queue_that_is_down_for_a_moment_is_asked_again(aws: FakeAws) -> None:
    down = {"Error": {"Code": "ServiceUnavailable"}}
    aws.arriving.put(ClientError(down, "ReceiveMessage"))
    aws.put("one")

    assert soon(lambda: len(aws.started) == 1)
