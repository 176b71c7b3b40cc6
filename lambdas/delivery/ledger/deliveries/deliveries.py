"""Deliveries: the key, reading, and the changes that no attempt at a delivery makes."""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import msgspec

from lambdas.common.aws.items import Item
from lambdas.common.clock import now
from lambdas.common.contracts.document import to_document
from lambdas.common.contracts.workflow.delivery_states import DeliveryState, HoldReason
from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.decision import MailDecision
from lambdas.delivery.ledger.deliveries.due import NOT_DUE, due
from lambdas.delivery.ledger.items import DeliveryItem


def delivery_id(event_id: str, recipient_ref: str, channel: str, *, second: bool = False) -> str:
    """The key of a delivery: 32 hex digits, the same for the same parts.

    `second`: that of the event's second notice to the recipient.
    """
    parts = [event_id, recipient_ref, channel, *(["second"] if second else [])]
    text = json.dumps(parts, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def read(context: LedgerContext, delivery_id: str) -> DeliveryItem | None:
    """The delivery, read consistently; None when there is none."""
    item = table.read_item(context, delivery_id)
    return msgspec.convert(item, DeliveryItem) if item else None


def read_several(context: LedgerContext, delivery_ids: Sequence[str]) -> list[DeliveryItem]:
    """The deliveries in the order of their ids, read consistently with one call; a missing one is absent."""
    found = table.read_several(context, delivery_ids)
    return [msgspec.convert(found[one], DeliveryItem) for one in delivery_ids if one in found]


def in_state(context: LedgerContext, state: DeliveryState) -> list[DeliveryItem]:
    """The deliveries in a state, the longest unchanged first."""
    found = table.query(context, "by_state", "#state = :state", {":state": state})
    return [msgspec.convert(item, DeliveryItem) for item in found]


def tell_instead(context: LedgerContext, item: DeliveryItem) -> str:
    """Holds a delivery of the same event to the recipient's fallback, due at once, and returns its id.

    Returns "" where the provider directory names no fallback. A fallback that has a delivery of this
    event already is not told twice: the key is the same, also for the second notice of an event.
    """
    if not item.fallback_ref or item.task is None:
        return ""
    task = replace(item.task, second=False)
    held = {"instead_of": item.recipient_ref}
    return _hold_new(
        context, replace(item, task=task), item.fallback_ref, HoldReason.FALLBACK, held
    )


def tell_apart(context: LedgerContext, item: DeliveryItem, recipient_ref: str) -> str:
    """Holds a delivery of its own to one who was to share the item's mail, due at once; returns its id."""
    return _hold_new(context, item, recipient_ref, HoldReason.OWN_MAIL, {})


def _hold_new(
    context: LedgerContext, item: DeliveryItem, recipient_ref: str, reason: HoldReason, more: Item
) -> str:
    """Holds a delivery of the item's event to another recipient, unless they have one; returns its id."""
    second = item.task is not None and item.task.second
    key = delivery_id(item.event_id, recipient_ref, item.channel, second=second)
    moment = now()
    held = {
        "recipient_ref": recipient_ref,
        "claimed_at": moment,
        "attempt_id": "",
        "lease_until": 0,
        "event_id": item.event_id,
        "channel": item.channel,
        "patient_ref": item.patient_ref or None,
        "encounter_ref": item.encounter_ref or None,
        "event_kind": item.event_kind or None,
        "task": item.task and to_document(item.task),
        "identities_version": item.identities_version or None,
        **more,
        **_held(key, reason, moment),
    }
    table.update(context, key, held, "attribute_not_exists(#delivery_id)")
    return key


def note_also(context: LedgerContext, delivery_id: str, also: Sequence[str]) -> None:
    """Writes the other recipients whom the mail of a held delivery still tells."""
    _note(context, delivery_id, {"also": list(also)})


def note_decision(context: LedgerContext, delivery_id: str, decision: MailDecision) -> None:
    """Writes the decision about a held delivery that a summary tells, for the audit entry after the send."""
    _note(context, delivery_id, {"decision": to_document(decision)})


def _note(context: LedgerContext, delivery_id: str, changes: Item) -> None:
    """Changes a delivery that is still held."""
    changes = {**changes, "updated_at": now()}
    table.update(context, delivery_id, changes, "#state = :held", {":held": DeliveryState.HELD})


def resend(context: LedgerContext, delivery_id: str, *, once: bool) -> bool:
    """Whether an unknown delivery was held for sending again at once; `once`: only the first time."""
    first = " AND attribute_not_exists(#resent)" if once else ""
    return table.update(
        context,
        delivery_id,
        {**_held(delivery_id, HoldReason.RESEND, now()), "resent": 1},
        "#state = :unknown" + first,
        {":unknown": DeliveryState.UNKNOWN},
    ).applied


DISCARDED = "discarded"
"""The reason of a delivery that an operator discarded."""


def discard(context: LedgerContext, delivery_id: str) -> bool:
    """Whether a held delivery became suppressed; one that is in a summary on its way does not."""
    return table.update(
        context,
        delivery_id,
        {"state": DeliveryState.SUPPRESSED, "reason": DISCARDED, "updated_at": now(), **NOT_DUE},
        "#state = :held AND attribute_not_exists(#digest_id)",
        {":held": DeliveryState.HELD},
    ).applied


def leave_to_a_person(context: LedgerContext, delivery_id: str) -> None:
    """Removes an unknown delivery from the index `by_due`: a person decides."""
    table.update(
        context, delivery_id, NOT_DUE, "#state = :unknown", {":unknown": DeliveryState.UNKNOWN}
    )


@dataclass(frozen=True, slots=True)
class MemberOutcome:
    """The state of a summary's member after the summary, with its reason or SES's message id."""

    state: DeliveryState
    reason: str = ""
    ses_message_id: str = ""
    sent_at: str = ""


def bind(context: LedgerContext, items: Sequence[DeliveryItem]) -> tuple[str, list[DeliveryItem]]:
    """A new summary's id, and those of the items that are now bound to it, for good."""
    summary_id = uuid.uuid4().hex
    changes = {"digest_id": summary_id, "updated_at": now()}
    condition = "#state = :held AND attribute_not_exists(#digest_id)"
    held = {":held": DeliveryState.HELD}
    return summary_id, [
        item
        for item in items
        if table.update(context, item.delivery_id, changes, condition, held).applied
    ]


def unbind(context: LedgerContext, delivery_id: str, summary_id: str) -> None:
    """Takes a held delivery out of a summary that was not sent."""
    changes = {"digest_id": None, "updated_at": now()}
    condition = "#state = :held AND #digest_id = :summary"
    values = {":held": DeliveryState.HELD, ":summary": summary_id}
    table.update(context, delivery_id, changes, condition, values)


def note_updates(context: LedgerContext, delivery_id: str, updates: Sequence[str]) -> None:
    """Writes the later events whose details the letter of a held delivery has, the first time."""
    if updates:
        table.update(context, delivery_id, {"updated_at": now()}, once={"updates": list(updates)})


def settle_member(
    context: LedgerContext, delivery_id: str, summary_id: str, outcome: MemberOutcome
) -> None:
    """Changes a held delivery that is bound to this summary; nothing where it is not (any more)."""
    table.update(
        context,
        delivery_id,
        {name: value for name, value in asdict(outcome).items() if value}
        | {"updated_at": now(), **NOT_DUE},
        "#state = :held AND #digest_id = :summary",
        {":held": DeliveryState.HELD, ":summary": summary_id},
    )


def _held(delivery_id: str, reason: HoldReason, moment: str) -> Item:
    return {
        "state": DeliveryState.HELD,
        "hold_reason": reason,
        "release_at": moment,
        "updated_at": moment,
        **due(delivery_id, moment),
    }
