"""Having DeliverNotification make a delivery, as the workflow would: its function, called and waited for."""

import json
from typing import Any

from botocore.config import Config

from lambdas.common.aws.clients import dependency
from lambdas.common.errors import DependencyUnavailableError
from lambdas.delivery.ledger import deliveries
from lambdas.delivery.ledger.items import DeliveryItem
from lambdas.delivery.ledger.states import HoldReason
from lambdas.release_deliveries.context import ReleaseContext

# It may take its 7 s; and a call that was lost is the next run's to repeat, not the client's.
PATIENT = Config(connect_timeout=1, read_timeout=9, retries={"total_max_attempts": 1})

REFUSED = "DeliveryRefusedError"

QUOTA = str(HoldReason.QUOTA)
"""The outcome of a mail that SES refused for the daily quota: it is held."""


def deliver(context: ReleaseContext, item: DeliveryItem) -> str:
    """The outcome of one due delivery: what DeliverNotification said, else `refused` or `failed`.

    `item` is as the index has it; the task is in the table. "nothing" when the item has gone.
    """
    found = deliveries.read(context, item.delivery_id)
    if found is None or found.task is None:
        return "nothing"
    return _call(context, {**found.task, "recipient_ref": found.recipient_ref, **_released()})


def digest(context: ReleaseContext, digest_id: str, items: list[DeliveryItem], moment: str) -> str:
    """The outcome of one summary of several held deliveries to one recipient."""
    if not items:
        return "nothing"
    return _call(
        context,
        {
            "envelope": {"event_id": digest_id, "sender": "unknown"},
            "recipient_ref": items[0].recipient_ref,
            "members": [item.delivery_id for item in items],
            "begun_at": moment,
            **_released(),
        },
    )


def _released() -> dict[str, Any]:
    return {"released": True, "execution_arn": "", "attempt": 0}


def _call(context: ReleaseContext, task: dict[str, Any]) -> str:
    try:
        with dependency("lambda"):
            answer = context.client("lambda", PATIENT).invoke(
                FunctionName=context.settings.deliver_function,
                Payload=json.dumps(task, default=_plain).encode(),
            )
            said = json.loads(answer["Payload"].read() or "{}")
    except DependencyUnavailableError:
        return "failed"
    if answer.get("FunctionError"):
        return "refused" if said.get("errorType") == REFUSED else "failed"
    outcome: str = said["outcome"]
    return QUOTA if said.get("hold_reason") == QUOTA else outcome


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, set) else str(value)
