"""A ledger with held deliveries, and the two functions that a release is made of."""

import json
from dataclasses import replace
from typing import Any

import boto3

from lambdas.common.contracts.document import to_document
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.contracts.recipients.recipient import Recipient, RecipientReason
from lambdas.deliver_notification.handler import lambda_handler as deliver
from lambdas.delivery.context import DeliveryContext
from lambdas.release_deliveries.context import ReleaseContext, ReleaseSettings
from lambdas.release_deliveries.handler import lambda_handler
from tests.functional.lambdas.deliver_notification.world import (
    ADMISSION,
    RECIPIENT,
    DeliveryWorld,
    file_recipients,
    ledger_items,
)
from tests.support.contexts import refreshed
from tests.support.lambda_context import LambdaContext
from tests.support.vault import write_json

DIGEST = replace(RECIPIENT, digest_at="07:00", time_zone="America/Halifax")
STAND_IN = replace(
    RECIPIENT,
    recipient_ref="k1.stand-in",
    provider_id="p2",
    name=Name(family="Adu", given="Kofi"),
    address="kofi.adu@clinic.example",
    reasons=(RecipientReason.FALLBACK,),
)


class Payload:
    def __init__(self, said: Any) -> None:
        self._said = said

    def read(self) -> str:
        """The answer as Lambda sends it."""
        return json.dumps(self._said)


class Lambda:
    """The function DeliverNotification, called in this process; `die` breaks it on its way.

    `context` is the function's.
    """

    def __init__(self) -> None:
        self.context: DeliveryContext | None = None
        self.die = ""

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        """The answer of Lambda's Invoke."""
        task = json.loads(Payload)
        try:
            if self.die == "before":
                raise RuntimeError
            assert self.context is not None
            said = deliver.with_context(refreshed(self.context))(
                task, LambdaContext("DeliverNotification")
            )
            if self.die == "after":
                raise RuntimeError
        except Exception as error:
            return {
                "FunctionError": "Unhandled",
                "Payload": self._payload({"errorType": type(error).__name__}),
            }
        return {"Payload": self._payload(said)}

    @staticmethod
    def _payload(said: Any) -> Payload:
        return Payload(said)


def release(context: DeliveryContext) -> dict[str, Any]:
    """One run of the function: the number of due deliveries and of each outcome, and why none went."""
    own = ReleaseContext(ReleaseSettings.from_environment(), context.clients)
    answer = lambda_handler.with_context(own)(
        {"source": "aws.events"}, LambdaContext("ReleaseDeliveries")
    )
    outcomes: dict[str, int] = answer.pop("outcomes")
    return {**{name: value for name, value in answer.items() if value is not False}, **outcomes}


def due_now() -> None:
    """Moves the time of everything that waits to the past."""
    for item in ledger_items():
        changes = [f"{name} = :past" for name in ("release_at", "due_at") if name in item]
        if changes:
            boto3.client("dynamodb").update_item(
                TableName="ledger",
                Key={"delivery_id": {"S": item["delivery_id"]}},
                UpdateExpression="SET " + ", ".join(changes),
                ExpressionAttributeValues={":past": {"S": "2026-01-01T00:00:00.000Z"}},
            )


def worlds(context: DeliveryContext, count: int, recipient: Any = DIGEST) -> list[DeliveryWorld]:
    """So many events for one recipient."""
    return [
        DeliveryWorld(context, (recipient,), replace(ADMISSION, event_id=f"{number:032x}"))
        for number in range(1, count + 1)
    ]


def states() -> dict[str, int]:
    """The number of deliveries in each state."""
    found: dict[str, int] = {}
    for item in ledger_items():
        if "event_id" in item:
            found[item["state"]] = found.get(item["state"], 0) + 1
    return found


def world_with_fallback(
    context: DeliveryContext,
    recipient: Recipient = RECIPIENT,
    patient_event: PatientEvent = ADMISSION,
    patient_id: str = "p",
) -> DeliveryWorld:
    """A recipient whose directory entry names somebody to be told instead."""
    recipient = replace(recipient, fallback_ref=STAND_IN.recipient_ref)
    world = DeliveryWorld(context, (recipient,), patient_event)
    identities = Identities(
        "k1.patient",
        patient_id=patient_id,
        recipients=world.recipients,
        fallbacks=(STAND_IN,),
    )
    file_recipients(context, identities)
    written = write_json(
        context, patient_event.event_id, "identities.json", to_document(identities)
    )
    world.task["identities"]["version_id"] = written.version_id
    return world
