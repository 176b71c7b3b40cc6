"""What the ledger keeps of an encounter: which deliveries tell of it, and what the hospital withdrew.

One item for each encounter and patient. Telling and withdrawing are one conditional write to it, so
one of them comes first, however close: either the withdrawal finds the delivery on the list, or the
delivery finds the withdrawal and tells nobody. An event that is redriven or released after its
cancellation is such a delivery.
"""

from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import ClientError

from lambdas.common.aws.clients import client, dependency
from lambdas.common.aws.items import Item, to_item
from lambdas.common.clock import iso
from lambdas.common.contracts.models import CANCELS, PatientEvent
from lambdas.common.deliveries import ledger_table, read

EVER = "9999"
"""Later than any moment: of an event that does not say when it was recorded."""


@dataclass(frozen=True, slots=True)
class Encounter:
    """One patient's stay, by references; without `encounter_ref` (no visit number) nothing is kept."""

    encounter_ref: str
    patient_ref: str

    @property
    def key(self) -> str:
        """The key of its item in the ledger's table."""
        return f"encounter#{self.encounter_ref}#{self.patient_ref}"


@dataclass(frozen=True, slots=True)
class Occasion:
    """An event's place among those of its encounter: its kind, and when we and its sender had it.

    `received_at` is the receiver's (ISO 8601, UTC), `recorded_at` EVN-2 in UTC, "" where that has no
    offset or is none.
    """

    event_id: str
    kind: str
    received_at: str
    recorded_at: str

    @classmethod
    def of(cls, patient_event: PatientEvent, received_at: str) -> "Occasion":
        """The occasion of an event that the receiver took at `received_at`."""
        recorded_at = _in_utc(patient_event.recorded_at)
        return cls(patient_event.event_id, patient_event.kind, received_at, recorded_at)


def withdrawn_by(
    encounter: Encounter, occasion: Occasion, delivery_id: str, *, promised: bool = False
) -> str:
    """The cancellation's event id when the event was withdrawn; else "" and the delivery is on the list.

    Withdrawn is what came before its cancellation, by our clock or the sender's: a later admission
    under the same visit number stands. `promised` lets a delivery that is on the list already go.
    """
    if not encounter.encounter_ref:
        return ""
    cancels = next((kind for kind, what in CANCELS.items() if occasion.kind in what), "")
    condition = ""
    values: Item = {":ids": {delivery_id}}
    if cancels:
        condition = (
            f"attribute_not_exists({cancels}_by)"
            f" OR ({cancels}_received <= :received AND {cancels}_recorded <= :recorded)"
        )
        moments = {":received": occasion.received_at, ":recorded": occasion.recorded_at or EVER}
        values = {**values, **moments}
    if cancels and promised:
        condition, values = condition + " OR contains(told, :id)", {**values, ":id": delivery_id}
    if _update(encounter, "ADD told :ids", condition, values):
        return ""
    found: str = (read(encounter.key) or {})[f"{cancels}_by"]
    return found


def withdraw(encounter: Encounter, cancellation: Occasion) -> frozenset[str]:
    """Withdraws what the cancellation's kind names, and returns the ids of all deliveries on the list.

    Of several cancellations the latest received stands.
    """
    if not encounter.encounter_ref:
        return frozenset()
    kind = cancellation.kind
    _update(
        encounter,
        f"SET {kind}_by = :by, {kind}_received = :received, {kind}_recorded = :recorded",
        f"attribute_not_exists({kind}_by) OR {kind}_received <= :received",
        {
            ":by": cancellation.event_id,
            ":received": cancellation.received_at,
            ":recorded": cancellation.recorded_at,
        },
    )
    return frozenset((read(encounter.key) or {}).get("told", ()))


def _update(encounter: Encounter, update: str, condition: str, values: Item) -> bool:
    try:
        with dependency("dynamodb"):
            client("dynamodb").update_item(
                TableName=ledger_table(),
                Key=to_item({"delivery_id": encounter.key}),
                UpdateExpression=update,
                **({"ConditionExpression": condition} if condition else {}),
                ExpressionAttributeValues=to_item(values),
            )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


def _in_utc(moment: str) -> str:
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return ""
    return iso(parsed) if parsed.tzinfo else ""
