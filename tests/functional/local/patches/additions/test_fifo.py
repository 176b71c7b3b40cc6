"""FIFO queues as SQS keeps them: deduplication outlives deletion, and a blocked group does not spin."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.sqs.models import Queue, SQSBackend, sqs_backends

from local.aws.clients import ACCOUNT, REGION
from local.patches.additions import fifo

CHANGED = {
    Queue: ("add_message",),
    SQSBackend: ("receive_message", "delete_message", "change_message_visibility"),
}


@pytest.fixture
def sqs(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An SQS client of a moto whose queues are ours until the end of the test."""
    for owner, names in CHANGED.items():
        for name in names:
            monkeypatch.setattr(owner, name, getattr(owner, name))
    fifo.install()
    yield boto3.client("sqs")


@pytest.fixture
def queue(sqs: Any) -> str:
    """A FIFO queue's URL."""
    url: str = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    return url


def send(sqs: Any, queue: str, deduplication_id: str, group: str = "g") -> None:
    answer = sqs.send_message(
        QueueUrl=queue,
        MessageBody=deduplication_id,
        MessageGroupId=group,
        MessageDeduplicationId=deduplication_id,
    )
    assert answer["MessageId"]


def receive(sqs: Any, queue: str, seconds: int = 0) -> list[Any]:
    answer = sqs.receive_message(
        QueueUrl=queue, WaitTimeSeconds=seconds, VisibilityTimeout=700, MaxNumberOfMessages=10
    )
    messages: list[Any] = answer.get("Messages", [])
    return messages


def delete(sqs: Any, queue: str, message: Any) -> None:
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def test_a_copy_of_a_deleted_message_is_swallowed_with_a_good_answer(sqs: Any, queue: str) -> None:
    send(sqs, queue, "one")
    (message,) = receive(sqs, queue)
    delete(sqs, queue, message)

    send(sqs, queue, "one")

    assert receive(sqs, queue) == []


def test_after_five_minutes_the_same_id_is_a_new_message(
    sqs: Any, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time() * 1000
    monkeypatch.setattr(fifo, "unix_time_millis", lambda: now)
    send(sqs, queue, "one")
    delete(sqs, queue, receive(sqs, queue)[0])

    now += 300_000
    send(sqs, queue, "one")

    assert len(receive(sqs, queue)) == 1


def test_a_message_that_sqs_moves_to_the_dead_letters_is_not_taken_for_a_copy(
    sqs: Any, queue: str
) -> None:
    fifo_queue = {"FifoQueue": "true"}
    dead = sqs.create_queue(QueueName="dead.fifo", Attributes=fifo_queue)["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead.fifo"
    policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": 1}}'
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": policy})
    send(sqs, dead, "one")
    delete(sqs, dead, receive(sqs, dead)[0])
    send(sqs, queue, "one")
    receive(sqs, queue)

    fifo.return_now(sqs_backends[ACCOUNT][REGION].queues["q.fifo"])
    receive(sqs, queue)

    assert len(receive(sqs, dead)) == 1


def test_returning_now_shows_a_hidden_message_at_once(sqs: Any, queue: str) -> None:
    send(sqs, queue, "one")
    receive(sqs, queue)
    assert receive(sqs, queue) == []

    assert fifo.return_now(sqs_backends[ACCOUNT][REGION].queues["q.fifo"]) == 1

    assert len(receive(sqs, queue)) == 1


def test_the_next_of_a_group_comes_as_soon_as_the_one_before_is_deleted(
    sqs: Any, queue: str
) -> None:
    send(sqs, queue, "first")
    (first,) = receive(sqs, queue)
    send(sqs, queue, "second")
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.extend(receive(sqs, queue, seconds=20)))
    waiting.start()
    time.sleep(0.5)  # it waits by now, most probably; where not, the test is only less strict

    delete(sqs, queue, first)
    waiting.join()

    assert [message["Body"] for message in found] == ["second"]


def test_messages_sent_and_deleted_by_many_threads_are_all_there_once(sqs: Any, queue: str) -> None:
    def work(worker: int) -> None:
        for number in range(10):
            send(sqs, queue, f"{worker}.{number}", group=f"{worker}.{number}")

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    seen: list[str] = []
    while len(seen) < 40:
        for message in receive(sqs, queue, seconds=1):
            seen.append(message["Body"])
            delete(sqs, queue, message)

    assert len(set(seen)) == 40
