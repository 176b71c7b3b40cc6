"""The transitions of one attempt at a delivery. Each is one conditional write: two runs cannot both send.

claimed ─▶ sending ─▶ sent | refused | unknown, and back to claimed when SES surely did not take it;
claimed ─▶ held until its time, and from there claimed again by a release; claimed ─▶ suppressed.
An item belongs to the attempt that claimed it until its lease ends. Claiming alone would not keep
two runs apart; entering `sending` does, because only the attempt that holds the claim can.
"""

import time

import msgspec

from lambdas.common.aws.item_writes import Update
from lambdas.common.aws.items import Item
from lambdas.common.clock import now
from lambdas.common.contracts.document import Written, to_document
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.common.errors import DependencyUnavailableError
from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.deliveries.due import (
    NOT_DUE,
    RESEND_AFTER,
    TAKE_UP_AFTER,
    due,
    due_after,
)
from lambdas.delivery.ledger.items import DeliveryItem

LEASE_MS = 10_000
"""Longer than the function's timeout (7 s): a run that claimed an item this long ago has ended."""

BEING_MADE = "ledger: another run is making this delivery"

REFERENCES = (
    "event_id",
    "recipient_ref",
    "channel",
    "patient_ref",
    "encounter_ref",
    "event_kind",
    "identities_version",
    "endpoint_ref",
    "fallback_ref",
    "task",
    "members",
    "other_patient",
)
"""The attributes that every claim writes; an empty one is left out, because an index accepts none."""


def claim(
    context: LedgerContext, delivery: DeliveryItem, attempt: str, released: bool = False
) -> DeliveryItem:
    """The item after this attempt tried to claim it; `released` claims a held one that is due.

    `delivery` is the delivery as this run makes it. `state` is `claimed` when it is this attempt's to make.
    It is anything else when the matter is settled: sent, refused, held, or unknown, which a `sending`
    becomes whose run has died. Raises `DependencyUnavailableError` while another run makes the delivery.
    """
    document = to_document(delivery)
    changes = {
        "state": DeliveryState.CLAIMED,
        "attempt_id": attempt,
        "lease_until": _milliseconds() + LEASE_MS,
        **{name: document[name] for name in REFERENCES if document[name]},
        # Fewer than when it was held, perhaps nobody.
        "also": list(delivery.also) or None,
        # Of this try, also where an earlier one decided otherwise.
        "decision": document["decision"],
    }
    condition = (
        "attribute_not_exists(#delivery_id) OR (#state = :claimed AND #lease_until < :moment)"
        # Of this very attempt: the first answer was lost and the client asks again.
        " OR (#state = :claimed AND #attempt_id = :mine)"
    )
    values = {":claimed": DeliveryState.CLAIMED, ":moment": _milliseconds(), ":mine": attempt}
    if released:
        # ReleaseDeliveries retries it if this attempt fails; the workflow repeats its own.
        changes |= {"released": True, **due_after(delivery.delivery_id, TAKE_UP_AFTER)}
        condition += " OR (#state = :held AND #release_at <= :due)"
        values |= {":held": DeliveryState.HELD, ":due": now()}
    claimed = _update(context, delivery, changes, condition, values)
    item = _item(claimed)
    if claimed.applied or item.state not in (DeliveryState.CLAIMED, DeliveryState.SENDING):
        return item
    if item.state is DeliveryState.CLAIMED:
        raise DependencyUnavailableError(BEING_MADE)
    return park_ended(context, delivery, item)


def park_ended(
    context: LedgerContext, delivery: DeliveryItem, sending: DeliveryItem
) -> DeliveryItem:
    """The item as `unknown`, where the run that was sending it has ended.

    Raises `DependencyUnavailableError` while that run may still be at it.
    """
    if sending.lease_until >= _milliseconds():
        raise DependencyUnavailableError(BEING_MADE)
    return park(context, delivery, sending.attempt_id)


def begin_sending(
    context: LedgerContext, delivery: DeliveryItem, attempt: str, document: Written
) -> None:
    """Writes that the call to SES is about to be made, with the document that it will send.

    Raises `DependencyUnavailableError` when the claim is no longer this attempt's.
    """
    changes = {
        "state": DeliveryState.SENDING,
        "document": to_document(document),
        "lease_until": _milliseconds() + LEASE_MS,
    }
    # `sending` of this very attempt: the first answer was lost and the client asks again.
    condition = "#attempt_id = :mine AND #state IN (:claimed, :sending)"
    states = {":claimed": DeliveryState.CLAIMED, ":sending": DeliveryState.SENDING}
    if not _update(context, delivery, changes, condition, {":mine": attempt, **states}).applied:
        raise DependencyUnavailableError("ledger: another run took this delivery over")


def confirm(
    context: LedgerContext, delivery: DeliveryItem, attempt: str, ses_message_id: str
) -> DeliveryItem:
    """The item as `sent`, with SES's message id."""
    sent = {"ses_message_id": ses_message_id, "sent_at": now(), **NOT_DUE}
    return _settle(context, delivery, attempt, DeliveryState.SENT, sent)


def refuse(
    context: LedgerContext, delivery: DeliveryItem, attempt: str, reason: str
) -> DeliveryItem:
    """The item as `refused`, with the reason: a code or a sentence of ours, no address."""
    return _settle(context, delivery, attempt, DeliveryState.REFUSED, {"reason": reason, **NOT_DUE})


def hold(
    context: LedgerContext, delivery: DeliveryItem, attempt: str, reason: str, release_at: str
) -> DeliveryItem:
    """The item as `held` until `release_at`, an ISO 8601 moment in UTC; nothing was sent."""
    until = {"release_at": release_at, **due(delivery.delivery_id, release_at)}
    return _settle(context, delivery, attempt, DeliveryState.HELD, {"hold_reason": reason, **until})


def suppress(
    context: LedgerContext, delivery: DeliveryItem, attempt: str, because: str
) -> DeliveryItem:
    """The item as `suppressed`: its event was cancelled first. `because` is a code or id."""
    return _settle(
        context, delivery, attempt, DeliveryState.SUPPRESSED, {"reason": because, **NOT_DUE}
    )


def park(context: LedgerContext, delivery: DeliveryItem, attempt: str) -> DeliveryItem:
    """The item as `unknown`; or as it is, when SES's own event has settled it meanwhile."""
    changes = {"state": DeliveryState.UNKNOWN, **due_after(delivery.delivery_id, RESEND_AFTER)}
    condition = "#attempt_id = :mine AND #state = :sending"
    values = {":mine": attempt, ":sending": DeliveryState.SENDING}
    return _item(_update(context, delivery, changes, condition, values))


def release(context: LedgerContext, delivery: DeliveryItem, attempt: str) -> None:
    """Gives the delivery back, free for the next run: SES surely did not take it."""
    _settle(context, delivery, attempt, DeliveryState.CLAIMED, {"lease_until": 0})


def _settle(
    context: LedgerContext,
    delivery: DeliveryItem,
    attempt: str,
    state: DeliveryState,
    changes: Item,
) -> DeliveryItem:
    """Writes the outcome of this attempt, also over `unknown`, which a later run may have set meanwhile."""
    changes = {"state": state, **changes}
    return _item(_update(context, delivery, changes, "#attempt_id = :mine", {":mine": attempt}))


def _update(
    context: LedgerContext, delivery: DeliveryItem, changes: Item, condition: str, values: Item
) -> Update:
    moment = now()
    changes = {**changes, "updated_at": moment}
    once: Item = {"claimed_at": moment}
    if delivery.updates:
        once["updates"] = list(delivery.updates)
    return table.update(context, delivery.delivery_id, changes, condition, values, once=once)


def _item(update: Update) -> DeliveryItem:
    if not update.item:
        raise DependencyUnavailableError("ledger: the delivery's item has gone")
    return msgspec.convert(update.item, DeliveryItem)


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000
