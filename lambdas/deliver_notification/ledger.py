"""The delivery ledger's transitions. Each is one conditional write, so that two runs cannot both send.

claimed ─▶ sending ─▶ sent | refused | unknown, and back to claimed when SES surely did not take it;
claimed ─▶ held until its time, and from there claimed again by a release; claimed ─▶ withheld.
An item belongs to the attempt that claimed it until its lease ends. Claiming alone would not keep
two runs apart; entering `sending` does, because only the attempt that holds the claim can.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common import deliveries
from lambdas.common.aws import client, dependency
from lambdas.common.clock import now
from lambdas.common.deliveries import (
    CLAIMED,
    HELD,
    NOT_DUE,
    REFUSED,
    RESEND_AFTER,
    SENDING,
    SENT,
    TAKE_UP_AFTER,
    UNKNOWN,
    WITHHELD,
    due,
    due_after,
    ledger_table,
)
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.items import Item, from_item, to_item
from lambdas.common.vault import Written

LEASE_MS = 10_000
"""Longer than the function can live (7 s): whoever held an item this long ago is dead."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one recipient over one channel, by references alone.

    `facts` are further attributes of its item, ids and codes: the kind of event, the recipient's
    endpoint and fallback, and the `task` with which a release makes it again.
    """

    event_id: str
    recipient_ref: str
    channel: str
    patient_ref: str = ""
    encounter_ref: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def delivery_id(self) -> str:
        """The ledger's key."""
        return deliveries.delivery_id(self.event_id, self.recipient_ref, self.channel)


def claim(delivery: Delivery, attempt: str, released: bool = False) -> Item:
    """The ledger's item after this attempt tried to claim it; `released` claims a held one that is due.

    `state` is `claimed` when the delivery is this attempt's to make. It is anything else when the
    matter is settled: sent, refused, held, or unknown, which a `sending` becomes whose run has
    died. Raises `DependencyUnavailableError` while another run is at it.
    """
    references = {
        "event_id": delivery.event_id,
        "recipient_ref": delivery.recipient_ref,
        "channel": delivery.channel,
        # Keys of indexes: absent rather than empty.
        **({"patient_ref": delivery.patient_ref} if delivery.patient_ref else {}),
        **({"encounter_ref": delivery.encounter_ref} if delivery.encounter_ref else {}),
        **{name: value for name, value in delivery.facts.items() if value},
        # Taken up by the release function if this attempt dies; the workflow repeats its own.
        **(
            {"released": True, **due_after(delivery.delivery_id, TAKE_UP_AFTER)} if released else {}
        ),
    }
    condition = (
        "attribute_not_exists(delivery_id) OR (#state = :claimed AND #lease_until < :moment)"
        # Of this very attempt: the first answer was lost and the client asks again.
        " OR (#state = :claimed AND #attempt_id = :mine)"
    )
    values = {":claimed": CLAIMED, ":moment": _milliseconds(), ":mine": attempt}
    if released:
        condition += " OR (#state = :held AND release_at <= :due)"
        values = {**values, ":held": HELD, ":due": now()}
    claimed = _update(
        delivery.delivery_id,
        {
            "state": CLAIMED,
            "attempt_id": attempt,
            "lease_until": _milliseconds() + LEASE_MS,
            **references,
        },
        condition,
        values,
    )
    return claimed or _held_by_another(delivery)


def _held_by_another(delivery: Delivery) -> Item:
    item = _current(delivery)
    if item["state"] not in (CLAIMED, SENDING):
        return item
    if item["lease_until"] >= _milliseconds() or item["state"] == CLAIMED:
        raise DependencyUnavailableError("ledger: another run is making this delivery")
    return park(delivery, item["attempt_id"])


def begin_sending(delivery: Delivery, attempt: str, document: Written) -> None:
    """Marks that the call to SES is about to be made, with the document that it will send.

    Raises `DependencyUnavailableError` when the claim is no longer this attempt's.
    """
    begun = _update(
        delivery.delivery_id,
        {
            "state": SENDING,
            "document": document.to_dict(),
            "lease_until": _milliseconds() + LEASE_MS,
        },
        # `sending` of this very attempt: the first answer was lost and the client asks again.
        "attempt_id = :mine AND #state IN (:claimed, :sending)",
        {":mine": attempt, ":claimed": CLAIMED, ":sending": SENDING},
    )
    if begun is None:
        raise DependencyUnavailableError("ledger: another run took this delivery over")


def confirm(delivery: Delivery, attempt: str, ses_message_id: str) -> Item:
    """The item as `sent`, with SES's message id."""
    changes = {"state": SENT, "ses_message_id": ses_message_id, "sent_at": now(), **NOT_DUE}
    return _settle(delivery, attempt, changes)


def refuse(delivery: Delivery, attempt: str, reason: str) -> Item:
    """The item as `refused`, with the reason: a code or a sentence of ours, no address."""
    return _settle(delivery, attempt, {"state": REFUSED, "reason": reason, **NOT_DUE})


def hold(delivery: Delivery, attempt: str, reason: str, release_at: str) -> Item:
    """The item as `held` until `release_at`, an ISO 8601 moment in UTC; nothing was sent."""
    until = {"release_at": release_at, **due(delivery.delivery_id, release_at)}
    changes = {"state": HELD, "hold_reason": reason, **until}
    return _settle(delivery, attempt, changes)


def withhold(delivery: Delivery, attempt: str, because: str) -> Item:
    """The item as `withheld`: its event was withdrawn before anybody was told. `because` is a code or id."""
    return _settle(delivery, attempt, {"state": WITHHELD, "reason": because, **NOT_DUE})


def park(delivery: Delivery, attempt: str) -> Item:
    """The item as `unknown`; or as it is, when SES's own event has meanwhile said what became of it."""
    parked = _update(
        delivery.delivery_id,
        {"state": UNKNOWN, **due_after(delivery.delivery_id, RESEND_AFTER)},
        "attempt_id = :attempt AND #state = :sending",
        {":attempt": attempt, ":sending": SENDING},
    )
    return parked or _current(delivery)


def release(delivery: Delivery, attempt: str) -> None:
    """Gives the delivery back, free for the next run: SES surely did not take it."""
    _settle(delivery, attempt, {"state": CLAIMED, "lease_until": 0})


def settle_member(delivery_id: str, summary_id: str, changes: dict[str, Any]) -> None:
    """Changes a held delivery that is bound to this summary; nothing where it is not (any more)."""
    changes = {name: value for name, value in changes.items() if value} | NOT_DUE
    condition = "#state = :held AND digest_id = :summary"
    _update(delivery_id, changes, condition, {":held": HELD, ":summary": summary_id})


def _settle(delivery: Delivery, attempt: str, changes: dict[str, Any]) -> Item:
    """Applies what only this attempt can know, even where a later run has parked it meanwhile."""
    return _update(
        delivery.delivery_id, changes, "attempt_id = :mine", {":mine": attempt}
    ) or _current(delivery)


def _current(delivery: Delivery) -> Item:
    item = deliveries.read(delivery.delivery_id)
    if item is None:
        raise DependencyUnavailableError("ledger: the delivery's item has gone")
    return item


def _update(
    delivery_id: str, changes: dict[str, Any], condition: str, values: dict[str, Any]
) -> Item | None:
    """The item after the change; None when the condition does not hold. A change to None removes."""
    removed = [f"#{name}" for name, value in changes.items() if value is None]
    written = {name: value for name, value in changes.items() if value is not None}
    written["updated_at"] = now()
    sets = [f"#{name} = :new_{name}" for name in written]
    sets.append("claimed_at = if_not_exists(claimed_at, :new_updated_at)")
    update = "SET " + ", ".join(sets) + (" REMOVE " + ", ".join(removed) if removed else "")
    try:
        with dependency("dynamodb"):
            answer = client("dynamodb").update_item(
                TableName=ledger_table(),
                Key=to_item({"delivery_id": delivery_id}),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={f"#{name}": name for name in (*changes, "updated_at")},
                ExpressionAttributeValues=to_item(
                    {**{f":new_{name}": value for name, value in written.items()}, **values}
                ),
                ReturnValues="ALL_NEW",
            )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return None
    return from_item(answer["Attributes"])


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000
