"""Whether a delivery has become pointless: its event was cancelled, or it cancels an event that was never told."""

import time

from lambdas.common.contracts.event import PatientEvent
from lambdas.common.contracts.recipient import FirstNotice, Recipient
from lambdas.common.contracts.steps import DeliverNotificationInput
from lambdas.common.errors import DependencyUnavailableError
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger import deliveries
from lambdas.delivery.ledger.attempts import Delivery
from lambdas.delivery.ledger.encounters import NotifiedEncounter, NotifiedEvent, cancelled_by
from lambdas.delivery.ledger.states import DeliveryState

NEVER_TOLD = "never_told"


def why_suppressed(
    context: DeliveryContext,
    delivery: Delivery,
    task: DeliverNotificationInput,
    patient_event: PatientEvent,
    recipient: Recipient,
    *,
    promised: bool = False,
) -> str:
    """The cancellation's event id, `never_told` for a cancellation of what was not told, or "".

    With "" the delivery is on its encounter's list: a cancellation from now on tells this recipient.
    Raises `DependencyUnavailableError` while the first notice is on its way.
    """
    if recipient.cancels and not _was_told(context, recipient.cancels):
        return NEVER_TOLD
    return cancelled_by(
        context,
        NotifiedEncounter(delivery.encounter_ref),
        NotifiedEvent.of(patient_event, task.envelope.received_at),
        delivery.delivery_id,
        promised=promised,
    )


def _was_told(context: DeliveryContext, first: FirstNotice) -> bool:
    """Whether the first notice went out, or surely will: the cancellation was written before this."""
    item = deliveries.read(context, first.delivery_id)
    if item is None:
        raise LookupError("the ledger does not hold the first notice")
    running = item.state in (DeliveryState.CLAIMED, DeliveryState.SENDING)
    if running and item.lease_until >= time.time_ns() // 1_000_000:
        raise DependencyUnavailableError("ledger: the first notice is on its way")
    # Sent again after a doubt: it may have gone before.
    if item.state is DeliveryState.HELD:
        # A held delivery that belongs to a summary is sent with the summary.
        return bool(item.digest_id or item.resent)
    told = (DeliveryState.SENT, DeliveryState.UNKNOWN, DeliveryState.SENDING)
    return item.state in told or bool(item.resent)
