"""The status of a patient event, one item each: OPEN, COMPLETED or FAILED.

ParseMessage opens it; the workflow itself writes COMPLETED and FAILED (CompleteEvent, RecordFailure),
so the final status is correct even if a function ends early.
"""

from lambdas.common.aws.item_reads import read_item
from lambdas.common.aws.item_writes import update
from lambdas.common.clock import expiry, now
from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.workflow.envelope import Envelope
from lambdas.common.contracts.workflow.status import EventStatus, StatusItem
from lambdas.common.function.context import Context


def read(context: Context, event_id: str) -> StatusItem | None:
    """The event's status item, by a consistent read; None for an unknown event."""
    item = read_item(context, context.settings.status_table, {"event_id": event_id})
    return read_as(StatusItem, item) if item else None


def open_event(context: Context, envelope: Envelope, execution_arn: str) -> bool:
    """Sets the event to OPEN under this execution, and returns whether it did.

    A COMPLETED event stays so, unless the envelope has `replay`. The time at which the event was first
    received stays.
    """
    return update(
        context,
        context.settings.status_table,
        {"event_id": envelope.event_id},
        {
            "status": EventStatus.OPEN,
            "execution_arn": execution_arn,
            "sender": envelope.sender,
            "updated_at": now(),
            "expires_at": expiry(context.settings.stored_days.status),
            "error_name": None,
            "failed_step": None,
        },
        condition="attribute_not_exists(#status) OR #status <> :final",
        values={":final": "" if envelope.replay else EventStatus.COMPLETED},
        once={"day": envelope.received_at[:10], "received_at": envelope.received_at},
    ).applied
