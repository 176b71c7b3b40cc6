"""Invokes DeliverNotification for a delivery, as the workflow would, and waits for the result."""

import json
from dataclasses import replace

from botocore.config import Config

from lambdas.common.aws.clients import dependency
from lambdas.common.contracts.document import read_as, to_document
from lambdas.common.contracts.workflow.delivery_states import HoldReason
from lambdas.common.contracts.workflow.tasks import (
    DeliverNotificationInput,
    DeliverNotificationResult,
    EventReference,
    ReleaseOutcome,
)
from lambdas.common.errors import DependencyUnavailableError
from lambdas.delivery.ledger.deliveries import deliveries
from lambdas.delivery.ledger.items import DeliveryItem
from lambdas.release_deliveries.context import ReleaseContext

# It may take its 7 s; and a call that was lost is the next run's to repeat, not the client's.
PATIENT = Config(connect_timeout=1, read_timeout=9, retries={"total_max_attempts": 1})

REFUSED = "DeliveryRefusedError"


def deliver(context: ReleaseContext, item: DeliveryItem) -> ReleaseOutcome:
    """The outcome of one due delivery: DeliverNotification's, else `refused` or `failed`.

    `item` is as the index has it; the task is in the table. `nothing` when the item has gone.
    """
    found = deliveries.read(context, item.delivery_id)
    if found is None or found.task is None:
        return ReleaseOutcome.NOTHING
    return _call(context, replace(found.task, recipient_ref=found.recipient_ref, released=True))


def deliver_summary(
    context: ReleaseContext, summary_id: str, items: list[DeliveryItem]
) -> ReleaseOutcome:
    """The outcome of one summary of several held deliveries to one recipient."""
    if not items:
        return ReleaseOutcome.NOTHING
    return _call(
        context,
        DeliverNotificationInput(
            envelope=EventReference(event_id=summary_id),
            recipient_ref=items[0].recipient_ref,
            members=tuple(item.delivery_id for item in items),
            released=True,
        ),
    )


def _call(context: ReleaseContext, task: DeliverNotificationInput) -> ReleaseOutcome:
    try:
        with dependency("lambda"):
            answer = context.client("lambda", PATIENT).invoke(
                FunctionName=context.settings.deliver_function,
                Payload=json.dumps(to_document(task)).encode(),
            )
            said = json.loads(answer["Payload"].read() or "{}")
    except DependencyUnavailableError:
        return ReleaseOutcome.FAILED
    if answer.get("FunctionError"):
        refused = said.get("errorType") == REFUSED
        return ReleaseOutcome.REFUSED if refused else ReleaseOutcome.FAILED
    result = read_as(DeliverNotificationResult, said)
    if result.hold_reason == HoldReason.QUOTA:
        return ReleaseOutcome.QUOTA
    return ReleaseOutcome(result.outcome)
