"""Having DeliverNotification make a delivery, as the workflow would: its function, called and waited for."""

import json
from dataclasses import replace

from botocore.config import Config

from lambdas.common.aws.clients import client, dependency
from lambdas.common.contracts.document import read_as, to_document
from lambdas.common.contracts.steps import (
    DeliverNotificationInput,
    DeliverNotificationResult,
    EventReference,
)
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.settings import required
from lambdas.delivery.ledger import deliveries
from lambdas.delivery.ledger.items import DeliveryItem
from lambdas.delivery.ledger.states import HoldReason

# It may take its 7 s; and a call that was lost is the next run's to repeat, not the client's.
PATIENT = Config(connect_timeout=1, read_timeout=9, retries={"total_max_attempts": 1})

REFUSED = "DeliveryRefusedError"

QUOTA = str(HoldReason.QUOTA)
"""The outcome of a mail that SES refused for the daily quota: it is held."""


def deliver(item: DeliveryItem) -> str:
    """The outcome of one due delivery: what DeliverNotification said, else `refused` or `failed`.

    `item` is as the index has it; the task is in the table. "nothing" when the item has gone.
    """
    found = deliveries.read(item.delivery_id)
    if found is None or found.task is None:
        return "nothing"
    return _call(replace(found.task, recipient_ref=found.recipient_ref, released=True))


def digest(digest_id: str, items: list[DeliveryItem], moment: str) -> str:
    """The outcome of one summary of several held deliveries to one recipient."""
    if not items:
        return "nothing"
    return _call(
        DeliverNotificationInput(
            envelope=EventReference(event_id=digest_id),
            recipient_ref=items[0].recipient_ref,
            members=tuple(item.delivery_id for item in items),
            begun_at=moment,
            released=True,
        )
    )


def _call(task: DeliverNotificationInput) -> str:
    try:
        with dependency("lambda"):
            answer = client("lambda", PATIENT).invoke(
                FunctionName=required("ENS_DELIVER_FUNCTION"),
                Payload=json.dumps(to_document(task)).encode(),
            )
            said = json.loads(answer["Payload"].read() or "{}")
    except DependencyUnavailableError:
        return "failed"
    if answer.get("FunctionError"):
        return "refused" if said.get("errorType") == REFUSED else "failed"
    result = read_as(DeliverNotificationResult, said)
    return QUOTA if result.hold_reason == QUOTA else str(result.outcome)
