"""What an SES event changes in the delivery ledger: its mark is kept, and an open question is settled."""

from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws import client, dependency
from lambdas.common.clock import now
from lambdas.common.deliveries import SENDING, UNKNOWN, ledger_table
from lambdas.common.items import Item, from_item, to_item
from lambdas.record_feedback.feedback import Feedback


def note(feedback: Feedback) -> Item | None:
    """The delivery's item with the event's mark in its set `feedback`; None when there is no such delivery.

    The same event noted twice leaves one mark.
    """
    return _update(
        feedback.delivery_id,
        UpdateExpression="ADD #feedback :mark SET updated_at = :now",
        ConditionExpression="event_id = :event",
        ExpressionAttributeNames={"#feedback": "feedback"},
        ExpressionAttributeValues=to_item(
            {":mark": {feedback.mark}, ":now": now(), ":event": feedback.event_id}
        ),
    )


def settle(feedback: Feedback, delivery_id: str) -> None:
    """Says what became of a delivery in `sending` or `unknown`: the event's own, or one in its summary."""
    _update(
        delivery_id,
        UpdateExpression="SET #state = :state, ses_message_id = :message, updated_at = :now"
        " REMOVE due_shard, due_at",
        ConditionExpression="#state IN (:sending, :unknown)",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues=to_item(
            {
                ":state": feedback.meaning.state,
                ":message": feedback.ses_message_id,
                ":now": now(),
                ":sending": SENDING,
                ":unknown": UNKNOWN,
            }
        ),
    )


def _update(delivery_id: str, **arguments: Any) -> Item | None:
    try:
        with dependency("dynamodb"):
            answer = client("dynamodb").update_item(
                TableName=ledger_table(),
                Key=to_item({"delivery_id": delivery_id}),
                ReturnValues="ALL_NEW",
                **arguments,
            )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return None
    return from_item(answer["Attributes"])
