"""Dead letters as the audit and status tables know them, with the queue's own count.

Looking never receives: a received message is hidden from whoever wants to redrive it.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from lambdas.common import status
from lambdas.common.audit import chain
from lambdas.common.aws.clients import dependency
from lambdas.common.clock import milliseconds_since
from lambdas.common.errors import PERMANENT_ERRORS
from lambdas.delivery.ledger.context import LedgerContext
from ops.deployment import CONFIG, Deployment
from ops.events import tables
from ops.problem import ProblemError

MARGIN_SECONDS = 300
PERMANENT = frozenset(error.__name__ for error in PERMANENT_ERRORS)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that was given up, and where its message is.

    `place` is `dead_letter`, `retrying` while SQS still redelivers it, or `redriven` while it
    is on its way back.
    """

    event_id: str
    error_name: str
    step: str
    time: str
    place: str


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The events, newest failure first, and how many messages the queue itself counts (roughly)."""

    events: list[DeadLetter]
    queue_count: int

    def to_dict(self) -> dict[str, Any]:
        """The list as JSON values."""
        return asdict(self)


def listed(deployment: Deployment) -> DeadLetters:
    """What was given up within 14 days and has not run since, with the queue's own count."""
    # After this long without another run, SQS has moved the message: no redelivery is due any more.
    patience = (
        _attribute(deployment.context, deployment.output("QueueUrl"), "VisibilityTimeout")
        + MARGIN_SECONDS
    )
    items = [
        status.read(deployment.context, event_id)
        for event_id in tables.failed_events(deployment.context)
    ]
    failed = [item for item in items if item and item["status"] == status.FAILED]
    letters = [
        DeadLetter(
            event_id=item["event_id"],
            error_name=item.get("error_name", ""),
            step=item.get("failed_step", ""),
            time=item["updated_at"],
            place=_place(deployment.context, item, patience),
        )
        for item in failed
    ]
    letters = [letter for letter in letters if letter.place != "discarded"]
    letters.sort(key=lambda letter: letter.time, reverse=True)
    return DeadLetters(letters, queue_count(deployment))


def queue_count(deployment: Deployment) -> int:
    """About how many messages the dead-letter queue holds, those in flight included; takes none."""
    url = deployment.output("DeadLetterQueueUrl")
    return sum(
        _attribute(deployment.context, url, name)
        for name in ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    )


def _place(context: LedgerContext, item: dict[str, Any], patience_seconds: int) -> str:
    failed_at = item["updated_at"]
    failed = datetime.fromisoformat(failed_at)
    since = [
        entry["action"]
        for entry in chain.entries(context, item["event_id"])
        if datetime.fromisoformat(entry["time"]) > failed
    ]
    if "REDRIVEN" in since:
        return "redriven"
    if "DISCARDED" in since:
        return "discarded"
    if item.get("error_name", "") in PERMANENT:
        return "dead_letter"
    moved = milliseconds_since(failed_at) > patience_seconds * 1000
    return "dead_letter" if moved else "retrying"


def _attribute(context: LedgerContext, url: str, name: str) -> int:
    with dependency("sqs"):
        answer = context.client("sqs", CONFIG).get_queue_attributes(
            QueueUrl=url, AttributeNames=[name]
        )
    try:
        return int(answer["Attributes"][name])
    except KeyError:
        raise ProblemError(f"The queue does not tell its {name}.") from None
