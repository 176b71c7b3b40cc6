"""Decides whether to suppress a delivery: its event was withdrawn, or it withdraws one that was never told."""

import time
from dataclasses import replace

from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import CANCELS
from lambdas.common.contracts.recipients.recipient import FirstNotice, Recipient
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.common.contracts.workflow.tasks import DeliverNotificationInput
from lambdas.common.errors import DependencyUnavailableError
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger.deliveries import deliveries
from lambdas.delivery.ledger.encounters import (
    Enlisted,
    NotifiedEncounter,
    NotifiedEvent,
    Thread,
    enlist,
)
from lambdas.delivery.ledger.items import DeliveryItem

NEVER_TOLD = "never_told"


def enlisted(
    context: DeliveryContext,
    delivery: DeliveryItem,
    task: DeliverNotificationInput,
    patient_event: PatientEvent,
    recipient: Recipient,
    *,
    promised: bool = False,
) -> Enlisted:
    """The delivery's place on its encounter's list, with the updates that its letter must have.

    `withdrawn_by` is the withdrawing event's id, or `never_told` for a withdrawal of an event that was not
    told. With "" the delivery is on the list: a withdrawal or an update from now on tells this recipient.
    Raises `DependencyUnavailableError` while the first notice is on its way.
    """
    first = recipient.cancels if patient_event.event_kind in CANCELS else None
    if first and not _was_told(context, first):
        return Enlisted(withdrawn_by=NEVER_TOLD)
    event = NotifiedEvent.of(patient_event, task.envelope.received_at)
    if recipient.other_patient:
        # Later events of the stay are about the other patient: none updates or withdraws this notice.
        event = replace(event, event_id=delivery.delivery_id)
    return enlist(
        context,
        NotifiedEncounter(delivery.encounter_ref),
        event,
        delivery.delivery_id,
        thread=Thread(recipient.stay_ref, recipient.recipient_ref),
        promised=promised,
    )


def why_suppressed(
    context: DeliveryContext,
    delivery: DeliveryItem,
    task: DeliverNotificationInput,
    patient_event: PatientEvent,
    recipient: Recipient,
) -> str:
    """The reason to suppress the delivery, as `Enlisted.withdrawn_by` says it; "" when it is sent."""
    return enlisted(context, delivery, task, patient_event, recipient).withdrawn_by


def _was_told(context: DeliveryContext, first: FirstNotice) -> bool:
    """Whether the first notice went out, or surely will: the cancellation was written before this."""
    item = deliveries.read(context, first.delivery_id)
    if item is None:
        raise LookupError("the ledger does not hold the first notice")
    running = item.state in (DeliveryState.CLAIMED, DeliveryState.SENDING)
    if running and item.lease_until >= time.time_ns() // 1_000_000:
        raise DependencyUnavailableError("ledger: the first notice is on its way")
    told = (DeliveryState.SENT, DeliveryState.UNKNOWN, DeliveryState.SENDING)
    # A held delivery that belongs to a summary is sent with the summary.
    in_summary = item.state is DeliveryState.HELD and bool(item.digest_id)
    # One that is sent again after a doubt may have gone before.
    return item.state in told or in_summary or bool(item.resent)
