"""Lists dead letters from the audit and status tables, with the queue's message count.

It receives no message: a received message is invisible to a redrive for its visibility timeout.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lambdas.common.audit import chain
from lambdas.common.aws.clients import dependency
from lambdas.common.clock import milliseconds_since
from lambdas.common.contracts.audit import AuditAction
from lambdas.common.contracts.workflow.status import EventStatus, StatusItem
from lambdas.common.errors import is_permanent
from lambdas.delivery.ledger.context import LedgerContext
from ops.audit.entries import readable
from ops.aws_calls import side_by_side
from ops.deployment import CONFIG, Deployment
from ops.events import queries
from ops.problem import ProblemError

MARGIN_SECONDS = 300


class DeadLetterPlace(StrEnum):
    """The place of a failed event's message. RETRYING: SQS redelivers it. A discarded one is deleted."""

    DEAD_LETTER = "dead_letter"
    RETRYING = "retrying"
    REDRIVEN = "redriven"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A failed event and the place of its message."""

    event_id: str
    error_name: str
    step: str
    time: str
    place: DeadLetterPlace


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The failed events, newest first, and the approximate number of messages on the queue."""

    events: list[DeadLetter]
    queue_count: int


def listed(deployment: Deployment) -> DeadLetters:
    """Returns the events that failed within 14 days and have not run since, with the queue's count."""
    context, queue_url = deployment.context, deployment.output("QueueUrl")
    # After this time without another run, SQS has moved the message to the dead-letter queue.
    patience = _attribute(context, queue_url, "VisibilityTimeout") + MARGIN_SECONDS
    # An outage may leave thousands: one after the other would take minutes.
    failures = queries.failed_events(context)
    items = side_by_side(lambda event_id: queries.status_of(context, event_id), failures)
    failed = [item for item in items if item and item.status is EventStatus.FAILED]
    letters = side_by_side(lambda item: _letter(context, item, patience), failed)
    there = [letter for letter in letters if letter.place is not DeadLetterPlace.DISCARDED]
    there.sort(key=lambda letter: letter.time, reverse=True)
    return DeadLetters(there, queue_count(deployment))


def queue_count(deployment: Deployment) -> int:
    """Returns the approximate number of messages on the dead-letter queue, those in flight included."""
    url = deployment.output("DeadLetterQueueUrl")
    return sum(
        _attribute(deployment.context, url, name)
        for name in ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    )


def _letter(context: LedgerContext, item: StatusItem, patience_seconds: int) -> DeadLetter:
    return DeadLetter(
        event_id=item.event_id,
        error_name=item.error_name,
        step=item.failed_step,
        time=item.updated_at,
        place=_place(context, item, patience_seconds),
    )


def _place(context: LedgerContext, item: StatusItem, patience_seconds: int) -> DeadLetterPlace:
    failed_at = item.updated_at
    failed = datetime.fromisoformat(failed_at)
    # By the start of the act: its entry is written after the message was sent, which may have failed again by then.
    since = [
        entry["action"]
        for entry in readable(chain.entries(context, item.event_id))
        if datetime.fromisoformat(entry.get("started_at") or entry["time"]) > failed
    ]
    if AuditAction.REDRIVEN in since:
        return DeadLetterPlace.REDRIVEN
    if AuditAction.DISCARDED in since:
        return DeadLetterPlace.DISCARDED
    if is_permanent(item.error_name, item.failed_step):
        return DeadLetterPlace.DEAD_LETTER
    moved = milliseconds_since(failed_at) > patience_seconds * 1000
    return DeadLetterPlace.DEAD_LETTER if moved else DeadLetterPlace.RETRYING


def _attribute(context: LedgerContext, url: str, name: str) -> int:
    with dependency("sqs"):
        answer = context.client("sqs", CONFIG).get_queue_attributes(
            QueueUrl=url, AttributeNames=[name]
        )
    try:
        return int(answer["Attributes"][name])
    except KeyError:
        raise ProblemError(f"SQS returned no attribute {name} for the queue {url}.") from None
