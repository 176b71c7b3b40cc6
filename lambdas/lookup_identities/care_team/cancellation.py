"""Who is to be told that an event is withdrawn: exactly those who were told of it.

The delivery ledger knows them by encounter, the first event's own `identities.json` how to reach
them: a relationship that has ended since, or one that began, changes nothing.
"""

from collections.abc import Iterable
from dataclasses import replace

from lambdas.common.aws import vault
from lambdas.common.contracts.models import CANCELS, FirstNotice, Identities, Recipient
from lambdas.delivery.ledger import deliveries
from lambdas.delivery.ledger.encounters import Encounter, Occasion, cancel
from lambdas.delivery.ledger.items import DeliveryItem
from lambdas.delivery.ledger.states import DeliveryState
from lambdas.lookup_identities.context import LookupContext

NOT_TOLD = (DeliveryState.REFUSED, DeliveryState.SUPPRESSED)


def withdrawn(
    context: LookupContext, identities: Identities, encounter_ref: str, cancellation: Occasion
) -> Identities:
    """The identities with those as recipients who were told what the cancellation withdraws.

    Nobody when nobody was told, when it was withdrawn before, or without `encounter_ref`. From now on
    what it withdraws is told to nobody.
    """
    listed: set[str] = set()
    for patient_ref in (identities.patient_ref, *identities.merged_from):
        listed |= cancel(context, Encounter(encounter_ref, patient_ref), cancellation)
    items = filter(None, [deliveries.read(context, key) for key in sorted(listed)])
    found = [
        item
        for item in items
        if item.event_id != cancellation.event_id
        # A cancellation that was redriven leaves alone what came after it.
        and item.task
        and item.task["envelope"]["received_at"] <= cancellation.received_at
    ]
    recipients = [_again(context, item) for item in _first_notices(found, cancellation.kind)]
    return replace(
        identities, recipients=tuple(filter(None, recipients)), considered=(), fallbacks=()
    )


def _first_notices(found: Iterable[DeliveryItem], kind: str) -> list[DeliveryItem]:
    """Each recipient's newest notification of what is withdrawn, unless a withdrawal followed it."""
    newest: dict[str, DeliveryItem] = {}
    for item in sorted(found, key=lambda item: item.claimed_at):
        if item.state not in NOT_TOLD and item.kind in (*CANCELS[kind], kind):
            newest[item.recipient_ref] = item
    return [item for _, item in sorted(newest.items()) if item.kind != kind]


def _again(context: LookupContext, item: DeliveryItem) -> Recipient | None:
    """The recipient as they were when they were told, with what they were told."""
    first = Identities.from_dict(
        vault.read_document(context, item.event_id, "identities.json", item.identities_version)
    )
    for recipient in (*first.recipients, *first.fallbacks):
        if recipient.recipient_ref == item.recipient_ref:
            notice = FirstNotice(item.event_id, item.delivery_id, item.sent_at or item.claimed_at)
            return replace(recipient, withdraws=notice)
    return None
