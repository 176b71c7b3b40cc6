"""The recipients of each notice of a decision: the care team, those who were told, or those who were not.

The delivery ledger knows who was told of an encounter. The first event's own `identities.json` holds how
to reach them: a relationship that ended or began since changes nothing.
"""

from dataclasses import replace

from lambdas.common.aws import vault
from lambdas.common.contracts.encounter import Audience, Decision, Notice
from lambdas.common.contracts.event_kind import CANCELS
from lambdas.common.contracts.identities import Identities
from lambdas.common.contracts.recipient import FirstNotice, Recipient
from lambdas.delivery.ledger import deliveries
from lambdas.delivery.ledger.encounters import NotifiedEncounter, NotifiedEvent, cancel, told
from lambdas.delivery.ledger.items import DeliveryItem
from lambdas.delivery.ledger.states import DeliveryState
from lambdas.lookup_identities.context import LookupContext

NOT_TOLD = (DeliveryState.REFUSED, DeliveryState.SUPPRESSED)


def of_notices(
    context: LookupContext, identities: Identities, decision: Decision, event: NotifiedEvent
) -> Identities:
    """The identities with the recipients of the decision's notices, each with the kind of their notice.

    `identities` has the care team as recipients. A cancellation or correction also suppresses what was
    not told yet.
    """
    chosen: dict[str, Recipient] = {}
    encounter = NotifiedEncounter(decision.encounter_id)
    for notice in decision.notices:
        earlier = _told_of(context, encounter, notice, event)
        if notice.audience is Audience.TOLD:
            found = [_again(context, item) for item in earlier.values()]
        else:
            found = [one for one in identities.recipients if one.recipient_ref not in earlier]
        for recipient in filter(None, found):
            kind = replace(recipient, event_kind=notice.kind)
            chosen.setdefault(recipient.recipient_ref, kind)
    only_told = all(notice.audience is Audience.TOLD for notice in decision.notices)
    return replace(
        identities,
        recipients=tuple(chosen.values()),
        considered=() if only_told else identities.considered,
        fallbacks=() if only_told else identities.fallbacks,
    )


def _told_of(
    context: LookupContext, encounter: NotifiedEncounter, notice: Notice, event: NotifiedEvent
) -> dict[str, DeliveryItem]:
    """Each recipient's newest delivery of the events that the notice is about."""
    if notice.kind in CANCELS and notice.audience is Audience.TOLD:
        listed = cancel(context, encounter, replace(event, event_kind=notice.kind))
    else:
        listed = told(context, encounter)
    newest: dict[str, DeliveryItem] = {}
    items = filter(None, [deliveries.read(context, key) for key in sorted(listed)])
    for item in sorted(items, key=lambda item: item.claimed_at):
        if item.event_id in notice.about and item.state not in NOT_TOLD:
            newest[item.recipient_ref] = item
    return newest


def _again(context: LookupContext, item: DeliveryItem) -> Recipient | None:
    """The recipient as they were when they were told, with what they were told."""
    first = vault.read_document(context, item.event_id, Identities, item.identities_version)
    for recipient in (*first.recipients, *first.fallbacks):
        if recipient.recipient_ref == item.recipient_ref:
            notice = FirstNotice(item.event_id, item.delivery_id, item.sent_at or item.claimed_at)
            return replace(recipient, cancels=notice)
    return None
