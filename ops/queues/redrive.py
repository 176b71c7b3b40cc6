"""Taking messages off the dead-letter queue: back to work, or away.

The only place that receives from it, and it hides nothing: what it takes and does not remove, it
makes visible again.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from lambdas.common.audit import chain
from lambdas.common.aws.clients import dependency
from lambdas.common.clock import milliseconds_since, now
from lambdas.delivery.ledger.context import LedgerContext
from ops.deployment import CONFIG, Deployment

BATCH = 10
POLL_SECONDS = 1
HOLD_SECONDS = 60
"""How long a message stays invisible if this program is killed while it holds it."""
QUIET_SECONDS = 40
"""A walk that has found nothing for this long ends, before what it holds would appear again."""
WALKS = 2
ATTRIBUTES = ["MessageGroupId", "MessageDeduplicationId", "SentTimestamp"]
ACTIONS = {"Redrive": "REDRIVEN", "Discard": "DISCARDED"}

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Removed:
    """One message taken off the queue; `event_id` is "" when its body names none.

    `sent_id` is the message id under which it went back; "" when it was dropped.
    """

    event_id: str
    dead_letter_id: str
    sent_id: str = ""


def one(deployment: Deployment, event_id: str, who: str) -> list[Removed]:
    """Sends every copy of one event's message back to work and returns them; empty: it is not there.

    Messages of the same patient stand in one FIFO group, and a group gives out nothing more while
    one of its messages is held. So a second walk follows when the first finds nothing.
    """
    return _of_event(deployment, event_id, lambda m: _send_back(deployment, m, who))


def discard(deployment: Deployment, event_id: str, who: str) -> list[Removed]:
    """Deletes every copy of one event's message from the queue and returns them.

    For messages that tests put there: what a sender sent is redriven, or left to expire.
    """
    return _of_event(deployment, event_id, lambda m: _drop(deployment, m, who))


def discard_of_sender(deployment: Deployment, sender: str, who: str) -> list[Removed]:
    """Deletes every message of a sender from the queue and returns them; waits for them up to 1 s.

    For the smoke sender: its messages are taken the moment they arrive, so that they are never
    counted as visible for longer than that.
    """
    return list(
        _walk(
            deployment,
            lambda m: _member(m, "sender") == sender,
            lambda m: _drop(deployment, m, who),
        )
    )


def every(deployment: Deployment, who: str) -> Iterator[Removed]:
    """Sends every message back that was on the queue when this began; yields each when it is done.

    What others fail meanwhile stays, or this might never end.
    """
    began = datetime.now(UTC).timestamp() * 1000
    return _walk(
        deployment,
        lambda m: int(m["Attributes"]["SentTimestamp"]) <= began,
        lambda m: _send_back(deployment, m, who),
    )


def _of_event(
    deployment: Deployment, event_id: str, remove: Callable[[Message], Removed]
) -> list[Removed]:
    for _ in range(WALKS):
        found = list(_walk(deployment, lambda m: _event_id(m) == event_id, remove))
        if found:
            return found
    return []


def _walk(
    deployment: Deployment,
    wanted: Callable[[Message], bool],
    remove: Callable[[Message], Removed],
) -> Iterator[Removed]:
    """Goes once along the queue, removes what is wanted, and returns the rest at the end.

    The others are held until then: returned earlier, they would be handed out again and again. What
    was sent back here and failed again meanwhile is among the others: it is known by its
    deduplication id, the id of the message that was sent (docs/architecture.md#deduplication-ids).
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
    """Send, audit, delete, in this order: killed in between, the message is there twice, never gone.

    The deduplication id is the dead letter's own, so a second try within five minutes adds nothing,
    while an event that failed again, a new dead letter, is not swallowed.
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
        _audit(deployment.context, message, "Redrive", who, started)
    _delete(deployment, message)
    return Removed(event_id, message["MessageId"], answer["MessageId"])


def _drop(deployment: Deployment, message: Message, who: str) -> Removed:
    _audit(deployment.context, message, "Discard", who, now())
    _delete(deployment, message)
    return Removed(_event_id(message), message["MessageId"])


def _delete(deployment: Deployment, message: Message) -> None:
    with dependency("sqs"):
        deployment.context.client("sqs", CONFIG).delete_message(
            QueueUrl=deployment.output("DeadLetterQueueUrl"),
            ReceiptHandle=message["ReceiptHandle"],
        )


def _audit(context: LedgerContext, message: Message, act: str, who: str, started: str) -> None:
    chain.append(
        context,
        _event_id(message),
        {
            "step": act,
            "actor": f"operator:{who}",
            "action": ACTIONS[act],
            "outcome": "ok",
            "started_at": started,
            "duration_ms": milliseconds_since(started),
            "dead_letter_id": message["MessageId"],
        },
    )


def _receive(context: LedgerContext, url: str) -> list[Message]:
    with dependency("sqs"):
        answer = context.client("sqs", CONFIG).receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=HOLD_SECONDS,
            # Asks every partition of the queue; a short poll may miss messages that are there.
            WaitTimeSeconds=POLL_SECONDS,
            MessageSystemAttributeNames=ATTRIBUTES,
        )
    messages: list[Message] = answer.get("Messages", [])
    return messages


def _return(context: LedgerContext, url: str, receipts: list[str]) -> None:
    """Makes held messages visible again at once; what this misses returns by itself in a minute."""
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
