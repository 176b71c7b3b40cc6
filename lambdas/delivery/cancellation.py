"""Whether a delivery has become pointless: its event was withdrawn, or what it withdraws was never told."""

import time

from lambdas.common import deliveries
from lambdas.common.contracts.models import FirstNotice, PatientEvent, Recipient
from lambdas.common.deliveries import CLAIMED, HELD, SENDING, SENT, UNKNOWN
from lambdas.common.encounters import Encounter, Occasion, withdrawn_by
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.handler import Task
from lambdas.delivery.ledger import Delivery

NEVER_TOLD = "never_told"


def why_withheld(
    delivery: Delivery,
    task: Task,
    patient_event: PatientEvent,
    recipient: Recipient,
    *,
    promised: bool = False,
) -> str:
    """The cancellation's event id, `never_told` for a cancellation of what was not told, or "".

    With "" the delivery is on its encounter's list: a cancellation from now on tells this recipient.
    Raises `DependencyUnavailableError` while the first notice is on its way.
    """
    if recipient.withdraws and not _was_told(recipient.withdraws):
        return NEVER_TOLD
    return withdrawn_by(
        Encounter(delivery.encounter_ref, delivery.patient_ref),
        Occasion.of(patient_event, task["envelope"]["received_at"]),
        delivery.delivery_id,
        promised=promised,
    )


def _was_told(first: FirstNotice) -> bool:
    """Whether the first notice went out, or surely will: the withdrawal stood before this was asked."""
    item = deliveries.read(first.delivery_id)
    if item is None:
        raise LookupError("the ledger does not hold the first notice")
    if item["state"] in (CLAIMED, SENDING) and item["lease_until"] >= time.time_ns() // 1_000_000:
        raise DependencyUnavailableError("ledger: the first notice is on its way")
    if item["state"] == HELD:
        # Bound to a summary it goes with that; sent again after a doubt it may have gone before.
        return bool(item.get("digest_id") or item.get("resent"))
    return item["state"] in (SENT, UNKNOWN, SENDING) or bool(item.get("resent"))
