"""The earlier deliveries of a stay that a notice is about: those that were told, and those that still wait.

The delivery ledger has the recipients who were told of an encounter. A delivery that waits (for its
settling time, a summary or the quota) will show the details of an update, so that nobody gets both.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from lambdas.common.contracts.encounters.encounter import Audience, Notice
from lambdas.common.contracts.message.event_kind import CANCELS, EventKind
from lambdas.common.contracts.recipients.recipient import Recipient
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.delivery.ledger import encounters
from lambdas.delivery.ledger.deliveries import deliveries
from lambdas.delivery.ledger.encounters import NotifiedEncounter, NotifiedEvent
from lambdas.delivery.ledger.items import DeliveryItem
from lambdas.lookup_identities.context import LookupContext

NOT_TOLD = (DeliveryState.REFUSED, DeliveryState.SUPPRESSED)


@dataclass(frozen=True, slots=True)
class EarlierNotices:
    """One delivery of each recipient of the events that a notice is about, by recipient reference.

    `told`: on the encounter's list. Of a withdrawal it is the oldest delivery, else the newest. `shown`
    have this event's details in their letter: it still waits, or waited when this event came.
    """

    told: dict[str, DeliveryItem] = field(default_factory=dict)
    shown: dict[str, DeliveryItem] = field(default_factory=dict)


def earlier_notices(
    context: LookupContext,
    encounter: NotifiedEncounter,
    notice: Notice,
    event: NotifiedEvent,
    team: Iterable[Recipient],
) -> EarlierNotices:
    """The deliveries of the events that the notice is about.

    A withdrawal also suppresses those that wait, and an update adds its details to them: the encounter's
    item is written before the deliveries are read. `team` are the patient's recipients now.
    """
    if not notice.about:
        return EarlierNotices()
    withdraws = notice.kind in CANCELS and notice.audience is Audience.TOLD
    if withdraws:
        occasion = replace(event, event_kind=notice.kind)
        listed = encounters.cancel(context, encounter, occasion, notice.about)
    elif notice.kind is EventKind.UPDATE:
        listed = encounters.update(context, encounter, event, notice.about)
    else:
        listed = encounters.told(context, encounter)
    items = _read(context, listed, notice)
    if withdraws:
        told = [item for item in reversed(items) if not will_be_suppressed(item)]
        return EarlierNotices({item.recipient_ref: item for item in told})
    people = {(item.recipient_ref, item.channel) for item in items}
    people |= {(one.recipient_ref, one.channel) for one in team}
    keys = {
        deliveries.delivery_id(of, *one, second=second)
        for of in notice.about
        for one in people
        for second in (False, True)
    }
    return _by_recipient([*items, *_read(context, keys - listed, notice)], listed, event.event_id)


def will_be_suppressed(item: DeliveryItem) -> bool:
    """Whether a delivery of a withdrawn event surely goes to nobody: it waits, and is in no summary."""
    waits = item.state is DeliveryState.HELD
    return waits and not item.digest_id and not item.resent


def _read(context: LookupContext, keys: Iterable[str], notice: Notice) -> list[DeliveryItem]:
    """The deliveries of the notice's events with these keys that were not given up, the oldest first.

    Corrections about another patient (`other_patient`) are left out.
    """
    found = filter(None, [deliveries.read(context, key) for key in keys])
    of_notice = [
        item
        for item in found
        if item.event_id in notice.about
        # Sent again after a doubt, and then suppressed: the first mail may have been read.
        and (item.state not in NOT_TOLD or item.resent)
        and not item.other_patient
    ]
    return sorted(of_notice, key=lambda item: item.claimed_at)


def _by_recipient(
    items: Iterable[DeliveryItem], listed: frozenset[str], event_id: str
) -> EarlierNotices:
    newest = {item.recipient_ref: item for item in sorted(items, key=lambda item: item.claimed_at)}
    shown = {
        ref: item
        for ref, item in newest.items()
        if item.delivery_id not in listed or event_id in item.updates
    }
    told = {ref: item for ref, item in newest.items() if ref not in shown}
    return EarlierNotices(told, shown)
