"""EventBridge Pipes, played from the template's own pipe: queue in, workflow out, one message at a time.

A message is deleted when its execution succeeds and otherwise left to its visibility timeout. The
queue keeps each group in order: the next message of a group comes when the one before is gone.
"""

import json
import logging
import threading
import time
import uuid
from typing import Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from local.aws.clients import ACCOUNT, REGION, client
from local.patches.additions import execution_ends

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Executions at the same time. More make two cores slower: each has its own threads and sandboxes."""

CUT_AFTER = 300.0
"""Seconds after which AWS ends a pipe's execution, its target included.

StartSyncExecution, which the pipe may call, would give the end; moto does not have it.
"""

LONG_POLL_SECONDS = 1
ERROR_PAUSE_SECONDS = 0.5
STOP_SECONDS = 5.0

Message = dict[str, Any]


class PipeRunner:
    """A running pipe. `properties` are those of the template's AWS::Pipes::Pipe, resolved."""

    def __init__(self, properties: dict[str, Any], port: int) -> None:
        role = properties["RoleArn"]
        self._source: str = properties["Source"]
        self._state_machine: str = properties["Target"]
        self._sqs = client("sqs", port, role)
        self._starts = client("stepfunctions", port, role)
        self._queue_url = client("sqs", port).get_queue_url(
            QueueName=self._source.rpartition(":")[2], QueueOwnerAWSAccountId=ACCOUNT
        )["QueueUrl"]
        self._stopping = threading.Event()
        self._places = threading.Semaphore(AT_ONCE)
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def start(self) -> None:
        """Begins to poll the queue."""
        self._thread.start()

    def stop(self) -> None:
        """Takes no more messages and gives the executions under way a few seconds to end."""
        self._stopping.set()
        self._thread.join()
        deadline = time.monotonic() + STOP_SECONDS
        for _ in range(AT_ONCE):
            self._places.acquire(timeout=max(0.0, deadline - time.monotonic()))

    def _poll(self) -> None:
        while not self._stopping.is_set():
            self._places.acquire()
            message = self._receive()
            if message is None:
                self._places.release()
            else:
                threading.Thread(target=self._process, args=(message,), daemon=True).start()

    def _receive(self) -> Message | None:
        try:
            answer = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=1,
                WaitTimeSeconds=LONG_POLL_SECONDS,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        except (ClientError, HTTPClientError, ConnectionError) as error:
            log.error("cannot receive: %s", type(error).__name__)
            self._stopping.wait(ERROR_PAUSE_SECONDS)
            return None
        messages: list[Message] = answer.get("Messages", [])
        return messages[0] if messages else None

    def _process(self, message: Message) -> None:
        try:
            execution = self._starts.start_execution(
                stateMachineArn=self._state_machine,
                name=str(uuid.uuid4()),
                input=json.dumps([record(message, self._source)]),
            )["executionArn"]
            status = execution_ends.wait(execution, CUT_AFTER) or "TIMED_OUT"
            if status == "SUCCEEDED":
                self._sqs.delete_message(
                    QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
            else:
                log.error("%s %s", execution, status)
        except (ClientError, HTTPClientError, ConnectionError) as error:
            log.error("message %s stays: %s", message["MessageId"], type(error).__name__)
        finally:
            self._places.release()


def record(message: Message, source: str) -> dict[str, Any]:
    """A received message as Pipes hands it on.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html
    """
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": message.get("MessageAttributes", {}),
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": source,
        "awsRegion": REGION,
    }
