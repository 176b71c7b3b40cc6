"""Redrives or deletes messages of the dead-letter queue.

No other module receives from this queue. Messages that are received and not removed are made visible
again at the end.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from lambdas.common.aws.clients import dependency
from lambdas.common.clock import milliseconds_since, now
from lambdas.common.contracts.audit import AuditAction, AuditStep
from lambdas.delivery.ledger.context import LedgerContext
from ops.audit.entry import audit
from ops.deployment import CONFIG, Deployment

BATCH = 10
POLL_SECONDS = 1
HOLD_SECONDS = 60
"""Visibility timeout of a received message, if this program is killed before it returns it."""
QUIET_SECONDS = 40
"""A walk ends after this time without a match, before the held messages become visible again."""
WALKS = 2
ATTRIBUTES = ["MessageGroupId", "MessageDeduplicationId", "SentTimestamp"]
ACTIONS = {
    AuditStep.REDRIVE: AuditAction.REDRIVEN,
    AuditStep.DISCARD: AuditAction.DISCARDED,
}

Message = dict[str, Any]
"""A message as SQS's ReceiveMessage returns it."""


@dataclass(frozen=True, slots=True)
class Removed:
    """One message removed from the dead-letter queue. `event_id` is "" if its body has none.

    `sent_id` is the id of the message sent to the source queue, "" if it was only deleted.
    """

    event_id: str
    sent_id: str = ""


def one(deployment: Deployment, event_id: str, who: str) -> list[Removed]:
    """Redrives every copy of one event's message. Returns them; [] when the queue has none.

    SQS returns no more messages of a FIFO group while one of them is in flight. So a second walk follows
    when the first finds none (Amazon SQS Developer Guide, "FIFO queue message delivery").
    """
    for _ in range(WALKS):
        found = list(
            _walk(
                deployment,
                lambda m: _event_id(m) == event_id,
                lambda m: _send_back(deployment, m, who),
            )
        )
        if found:
            return found
    return []


def discard_of_sender(deployment: Deployment, sender: str, who: str) -> list[Removed]:
    """Deletes every message of a sender and returns them. Waits up to 1 s for the first.

    For the smoke sender alone: a hospital's message is redriven or expires. Its messages are removed at
    once, so that the queue's metrics rarely count them.
    """
    return list(
        _walk(
            deployment,
            lambda m: _member(m, "sender") == sender,
            lambda m: _drop(deployment, m, who),
        )
    )


def every(deployment: Deployment, who: str) -> Iterator[Removed]:
    """Redrives every message that was on the queue at the start, and yields each after it.

    Messages that arrive later stay on the queue, so that the walk ends.
    """
    began = datetime.now(UTC).timestamp() * 1000
    return _walk(
        deployment,
        lambda m: int(m["Attributes"]["SentTimestamp"]) <= began,
        lambda m: _send_back(deployment, m, who),
    )


def _walk(
    deployment: Deployment,
    wanted: Callable[[Message], bool],
    remove: Callable[[Message], Removed],
) -> Iterator[Removed]:
    """Receives all messages once, removes the wanted ones, and makes the others visible at the end.

    Others stay in flight until then, because SQS would return them again. A message that this walk sent
    and that failed again is skipped: its deduplication id is the id of the message that was sent
    (docs/architecture.md#deduplication-ids).
    """
    url = deployment.output("DeadLetterQueueUrl")
    held: dict[str, str] = {}
    sent: set[str] = set()
    progress = time.monotonic()
    try:
        while time.monotonic() - progress < QUIET_SECONDS:
            batch = _receive(deployment.context, url)
            if not batch:
                return
            held.update({m["MessageId"]: m["ReceiptHandle"] for m in batch})
            for message in batch:
                again = message["Attributes"]["MessageDeduplicationId"] in sent
                if wanted(message) and not again:
                    removed = remove(message)
                    del held[message["MessageId"]]
                    sent.add(removed.sent_id)
                    progress = time.monotonic()
                    yield removed
    finally:
        _return(deployment.context, url, list(held.values()))


def _send_back(deployment: Deployment, message: Message, who: str) -> Removed:
    """Sends, audits and deletes a message, in this order: an interruption duplicates it, never loses it.

    The deduplication id holds the dead letter's id. A second try within five minutes is a duplicate for
    SQS; a later dead letter of the same event is not.
    """
    event_id, started = _event_id(message), now()
    with dependency("sqs"):
        answer = deployment.context.client("sqs", CONFIG).send_message(
            QueueUrl=deployment.output("QueueUrl"),
            MessageBody=message["Body"],
            MessageGroupId=message["Attributes"]["MessageGroupId"],
            MessageDeduplicationId=f"{event_id or 'redrive'}.{message['MessageId']}",
        )
    if event_id:
        _audit(deployment.context, message, AuditStep.REDRIVE, who, started)
    _delete(deployment, message)
    return Removed(event_id, answer["MessageId"])


def _drop(deployment: Deployment, message: Message, who: str) -> Removed:
    _audit(deployment.context, message, AuditStep.DISCARD, who, now())
    _delete(deployment, message)
    return Removed(_event_id(message))


def _delete(deployment: Deployment, message: Message) -> None:
    with dependency("sqs"):
        deployment.context.client("sqs", CONFIG).delete_message(
            QueueUrl=deployment.output("DeadLetterQueueUrl"),
            ReceiptHandle=message["ReceiptHandle"],
        )


def _audit(
    context: LedgerContext, message: Message, step: AuditStep, who: str, started: str
) -> None:
    audit(
        context,
        _event_id(message),
        step,
        ACTIONS[step],
        by=who,
        started_at=started,
        duration_ms=milliseconds_since(started),
        dead_letter_id=message["MessageId"],
    )


def _receive(context: LedgerContext, url: str) -> list[Message]:
    with dependency("sqs"):
        answer = context.client("sqs", CONFIG).receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=HOLD_SECONDS,
            # Long polling reads all servers; short polling may miss messages (SQS Developer Guide).
            WaitTimeSeconds=POLL_SECONDS,
            MessageSystemAttributeNames=ATTRIBUTES,
        )
    messages: list[Message] = answer.get("Messages", [])
    return messages


def _return(context: LedgerContext, url: str, receipts: list[str]) -> None:
    """Makes messages visible again. After a failure they become visible within a minute."""
    with suppress(ClientError, HTTPClientError, ConnectionError):
        for start in range(0, len(receipts), BATCH):
            context.client("sqs", CONFIG).change_message_visibility_batch(
                QueueUrl=url,
                Entries=[
                    {"Id": str(position), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                    for position, receipt in enumerate(receipts[start : start + BATCH])
                ],
            )


def _event_id(message: Message) -> str:
    """The event id in a message's body; "" when the body is not an envelope."""
    return _member(message, "event_id")


def _member(message: Message, name: str) -> str:
    """A text of the envelope in a message's body; "" when the body is not an envelope."""
    try:
        member = json.loads(message["Body"])[name]
    except (ValueError, KeyError, TypeError):
        return ""
    return member if isinstance(member, str) else ""
