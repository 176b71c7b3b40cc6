"""The status of a patient event, one item each: OPEN, COMPLETED or FAILED.

ParseMessage opens it; the workflow itself writes COMPLETED and FAILED (CompleteEvent, RecordFailure),
so the final status is correct even if a function ends early.
"""

from lambdas.common.aws.clients import dependency
from lambdas.common.aws.item_reads import read_item
from lambdas.common.clock import expiry, now
from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.workflow.status import EventStatus, StatusItem
from lambdas.common.function.context import Context


def read(context: Context, event_id: str) -> StatusItem | None:
    """The event's status item, by a consistent read; None for an unknown event."""
    item = read_item(context, context.settings.status_table, {"event_id": event_id})
    return read_as(StatusItem, item) if item else None


def open_event(
    context: Context, event_id: str, received_at: str, execution_arn: str, sender: str
) -> None:
    """Sets the event to OPEN under this execution. Keeps the time at which it was first received."""
    with dependency("dynamodb"):
        context.client("dynamodb").update_item(
            TableName=context.settings.status_table,
            Key={"event_id": {"S": event_id}},
            UpdateExpression=(
                "SET #status = :open, #day = if_not_exists(#day, :day),"
                " received_at = if_not_exists(received_at, :received),"
                " execution_arn = :execution, sender = :sender, updated_at = :now,"
                " expires_at = :expires"
                " REMOVE error_name, failed_step"
            ),
            ExpressionAttributeNames={"#status": "status", "#day": "day"},
            ExpressionAttributeValues={
                ":open": {"S": EventStatus.OPEN},
                ":day": {"S": received_at[:10]},
                ":received": {"S": received_at},
                ":execution": {"S": execution_arn},
                ":sender": {"S": sender},
                ":now": {"S": now()},
                ":expires": {"N": str(expiry(context.settings.stored_days.status))},
            },
        )
