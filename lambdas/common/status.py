"""The status of a patient event, one item each: OPEN, COMPLETED or FAILED.

ParseMessage opens it; the workflow itself writes COMPLETED and FAILED (CompleteEvent, RecordFailure),
so the final status is correct even if a function ends early.
"""

from botocore.exceptions import ClientError

from lambdas.common.aws.clients import dependency
from lambdas.common.aws.item_reads import read_item
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
    received_at = envelope.received_at
    try:
        with dependency("dynamodb"):
            context.client("dynamodb").update_item(
                TableName=context.settings.status_table,
                Key={"event_id": {"S": envelope.event_id}},
                UpdateExpression=(
                    "SET #status = :open, #day = if_not_exists(#day, :day),"
                    " received_at = if_not_exists(received_at, :received),"
                    " execution_arn = :execution, sender = :sender, updated_at = :now,"
                    " expires_at = :expires"
                    " REMOVE error_name, failed_step"
                ),
                ConditionExpression="attribute_not_exists(#status) OR #status <> :final",
                ExpressionAttributeNames={"#status": "status", "#day": "day"},
                ExpressionAttributeValues={
                    ":open": {"S": EventStatus.OPEN},
                    ":final": {"S": "" if envelope.replay else EventStatus.COMPLETED},
                    ":day": {"S": received_at[:10]},
                    ":received": {"S": received_at},
                    ":execution": {"S": execution_arn},
                    ":sender": {"S": envelope.sender},
                    ":now": {"S": now()},
                    ":expires": {"N": str(expiry(context.settings.stored_days.status))},
                },
            )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True
