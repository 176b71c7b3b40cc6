"""The recipients of a cancellation: exactly those who were told of the cancelled event.

The delivery ledger knows them by encounter, the first event's own `identities.json` how to reach
them: a relationship that has ended since, or one that began, changes nothing.
"""

from collections.abc import Iterable
from dataclasses import replace

from lambdas.common.aws import vault
from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.event import CANCELS, EventKind
from lambdas.common.contracts.identities import Identities
from lambdas.common.contracts.recipient import FirstNotice, Recipient
from lambdas.delivery.ledger import deliveries
from lambdas.delivery.ledger.encounters import NotifiedEncounter, NotifiedEvent, cancel
from lambdas.delivery.ledger.items import DeliveryItem
from lambdas.delivery.ledger.states import DeliveryState

NOT_TOLD = (DeliveryState.REFUSED, DeliveryState.SUPPRESSED)


def cancelled_by_event(
    identities: Identities, encounter_ref: str, cancellation: NotifiedEvent
) -> Identities:
    """The identities with those as recipients who were told of the cancelled event.

    Nobody when nobody was told, when it was cancelled before, or without `encounter_ref`. From now on
    the cancelled event is told to nobody.
    """
    listed: set[str] = set()
    for patient_ref in (identities.patient_ref, *identities.merged_from):
        listed |= cancel(NotifiedEncounter(encounter_ref, patient_ref), cancellation)
    items = filter(None, map(deliveries.read, sorted(listed)))
    found = [
        item
        for item in items
        if item.event_id != cancellation.event_id
        # A cancellation that was redriven leaves alone what came after it.
        and item.task
        and item.task.envelope.received_at <= cancellation.received_at
    ]
    recipients = [_again(item) for item in _first_notices(found, cancellation.event_kind)]
    return replace(
        identities, recipients=tuple(filter(None, recipients)), considered=(), fallbacks=()
    )


def _first_notices(found: Iterable[DeliveryItem], event_kind: EventKind) -> list[DeliveryItem]:
    """Each recipient's newest notification of the cancelled event, unless a cancellation followed it."""
    newest: dict[str, DeliveryItem] = {}
    for item in sorted(found, key=lambda item: item.claimed_at):
        if item.state not in NOT_TOLD and item.event_kind in (*CANCELS[event_kind], event_kind):
            newest[item.recipient_ref] = item
    return [item for _, item in sorted(newest.items()) if item.event_kind != event_kind]


def _again(item: DeliveryItem) -> Recipient | None:
    """The recipient as they were when they were told, with what they were told."""
    first = read_as(
        Identities,
        vault.read_document(item.event_id, "identities.json", item.identities_version),
    )
    for recipient in (*first.recipients, *first.fallbacks):
        if recipient.recipient_ref == item.recipient_ref:
            notice = FirstNotice(item.event_id, item.delivery_id, item.sent_at or item.claimed_at)
            return replace(recipient, cancels=notice)
    return None
