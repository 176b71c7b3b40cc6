"""One delivery from start to end: prepared, claimed, sent, recorded. The ledger decides.

A run may end between any two lines of it; the next run finds its progress in the ledger.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from lambdas.common.clock import now
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.contracts.recipients.recipient import Recipient
from lambdas.common.contracts.workflow.delivery_states import DeliveryState, HoldReason
from lambdas.common.contracts.workflow.tasks import (
    DeliverNotificationInput,
    DeliverNotificationResult,
    ExtractEntitiesResult,
)
from lambdas.common.errors import DeliveryRefusedError, DependencyUnavailableError
from lambdas.common.function.handler import Run
from lambdas.common.mail_address import is_address
from lambdas.delivery import audit
from lambdas.delivery.attempt import Attempt
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.decisions import holds
from lambdas.delivery.decisions.cancellation import enlisted, why_suppressed
from lambdas.delivery.decisions.detail import Detail, detail_for
from lambdas.delivery.decisions.recheck import ChosenNotice, Refused, standings
from lambdas.delivery.ledger.decision import MailDecision, RefusedAddressee
from lambdas.delivery.ledger.deliveries import deliveries
from lambdas.delivery.ledger.deliveries.starting_point import StartingPoint, starting_point
from lambdas.delivery.ledger.encounters import NotifiedEncounter, Thread, add_mail
from lambdas.delivery.ledger.items import SETTLED, AddressProblemState, DeliveryItem
from lambdas.delivery.ledger.sending import address_problems
from lambdas.delivery.mail.thread import MailThread
from lambdas.delivery.vault_documents import (
    identities_of,
    letter_for,
    made_for,
    recipient_in,
    told_to,
    with_updates,
)

BAD_ADDRESS = "the registry's address for the recipient is not one"
BAD_ENDPOINT = "the recipient's address bounced or complained before"


def deliver(
    context: DeliveryContext, task: DeliverNotificationInput, run: Run
) -> DeliverNotificationResult:
    """Makes one delivery at most once, records it, and returns its recipient, outcome and id.

    The outcome is `sent`, `unknown` (SES may have taken it; not repeated), `held` (a later task with
    `released` sends it) or `suppressed` (the hospital withdrew the event before it was told, or the
    recipient may not be told any more).
    Raises `DeliveryRefusedError` when this recipient's address or content is refused for good, and
    `DependencyUnavailableError` or `ConfigurationError` when nothing was sent.
    """
    identities = identities_of(context, run.event_id, task)
    recipient = recipient_in(identities, task.recipient_ref, second=task.second)
    delivery = delivery_of(context, task, run, recipient)
    start = starting_point(context, delivery.delivery_id, endpoints_of(context, recipient))
    attempt = Attempt(context, run, delivery, task.released, start)
    item = attempt.found()
    if item is None or not _settled(item, task):
        waits = why_held(start, recipient, item if task.released else None)
        if not waits[0]:
            tried = _tried(attempt, task, identities, recipient)
        elif refusal := refusal_of(recipient, start.address_failed):
            tried = Tried(attempt.refused(refusal), recipient)
        else:
            tried = Tried(attempt.held(*waits), recipient)
    else:
        tried = Tried(item, recipient)
    item = tried.item
    audit.of_delivery(
        context,
        run,
        item,
        tried.recipient.reasons,
        ours=attempt.made(item),
        detail=tried.detail or detail_for(context, recipient),
        policy=recipient.policy,
    )
    if item.state is DeliveryState.REFUSED:
        raise DeliveryRefusedError(item.reason or "ses refused it after taking it")
    return result_of(item)


@dataclass(frozen=True, slots=True)
class Tried:
    """The item after a try, with its decision, and the recipient and detail of the mail."""

    item: DeliveryItem
    recipient: Recipient
    detail: Detail | None = None


def _tried(
    attempt: Attempt, task: DeliverNotificationInput, identities: Identities, chosen: Recipient
) -> Tried:
    """The try at a mail that may go now: decided again by the registry as it is, then sent.

    The delivery is put on its encounter's list before its letter is made, so that no update is lost
    between the two.
    """
    context = attempt.context
    told = told_to(context, task, identities, chosen)
    place = enlisted(context, attempt.delivery, task, told.event, chosen)
    if place.withdrawn_by:
        return Tried(attempt.suppressed(place.withdrawn_by), chosen)
    newest = with_updates(context, told, place.updates)
    (standing,) = standings(context, [ChosenNotice(identities, newest.event, chosen)])
    recipient = standing.recipient
    for one in standing.apart:
        deliveries.tell_apart(context, attempt.delivery, one.recipient_ref)
    if recipient is None:
        reason, others = standing.refused[0].reason, _noted(standing.refused[1:])
        decision = MailDecision.of(standing.policy, others)
        attempt = replace(attempt, delivery=replace(attempt.delivery, decision=decision))
        return Tried(attempt.suppressed(reason), chosen)
    detail = detail_for(context, recipient)
    refused = _noted(standing.refused)
    delivery = replace(
        attempt.delivery,
        endpoint_ref=endpoints_of(context, recipient)[0],
        updates=place.updates,
        also=_others(recipient),
        decision=MailDecision.of(standing.policy, refused, detail.level, detail.reduced),
    )
    attempt = replace(attempt, delivery=delivery)
    if refusal := refusal_of(recipient, has_failed(attempt, chosen, recipient)):
        return Tried(attempt.refused(refusal), recipient)
    letter = letter_for(context, attempt.run, newest, identities, recipient, detail=detail)
    letter = replace(
        letter,
        thread=MailThread(recipient.stay_ref, place.mails),
        made_for=made_for(context, (recipient, detail)),
    )
    # A second look right before the send finds a withdrawal that came meanwhile.
    item = attempt.sent(
        letter,
        recipient.address,
        lambda: why_suppressed(context, delivery, task, told.event, recipient),
    )
    _add_to_thread(attempt, recipient, item)
    return Tried(item, recipient, detail)


def _noted(refused: tuple[Refused, ...]) -> tuple[RefusedAddressee, ...]:
    return tuple(one.noted for one in refused)


def _add_to_thread(attempt: Attempt, recipient: Recipient, item: DeliveryItem) -> None:
    """Adds a mail that this attempt sent to the stay's thread."""
    if item.state is DeliveryState.SENT and attempt.made(item):
        stay = NotifiedEncounter(attempt.delivery.encounter_ref)
        thread = Thread(recipient.stay_ref, recipient.recipient_ref)
        # The mail has gone: a thread that lacks it is no reason to fail.
        with suppress(DependencyUnavailableError):
            add_mail(attempt.context, stay, thread, item.sent_at, item.ses_message_id)


def result_of(item: DeliveryItem) -> DeliverNotificationResult:
    """The result of a delivery in the state of its item."""
    return DeliverNotificationResult(
        recipient_ref=item.recipient_ref,
        outcome=item.state,
        delivery_id=item.delivery_id,
        hold_reason=item.hold_reason if item.state is DeliveryState.HELD else "",
    )


def _settled(found: DeliveryItem, task: DeliverNotificationInput) -> bool:
    """Whether there is nothing left to do: a held one waits for its release."""
    waits = found.state is DeliveryState.HELD and not task.released
    return waits or found.state in SETTLED


def delivery_of(
    context: DeliveryContext, task: DeliverNotificationInput, run: Run, recipient: Recipient
) -> DeliveryItem:
    """The delivery as this run makes it, with the ids and codes by which a release makes it again."""
    return DeliveryItem(
        delivery_id=deliveries.delivery_id(
            run.event_id, recipient.recipient_ref, recipient.channel, second=recipient.second
        ),
        state=DeliveryState.CLAIMED,
        event_id=run.event_id,
        recipient_ref=recipient.recipient_ref,
        channel=recipient.channel,
        patient_ref=_patient_of(recipient) or task.identities.patient_ref,
        encounter_ref=task.parsed.encounter_ref,
        event_kind=recipient.event_kind or task.parsed.event_kind,
        identities_version=task.identities.version_id,
        endpoint_ref=endpoints_of(context, recipient)[0],
        fallback_ref=recipient.fallback_ref,
        task=_again(task),
        also=_others(recipient),
        other_patient=recipient.other_patient,
    )


def _patient_of(recipient: Recipient) -> str:
    """The patient whom a correction is about, where that is not the event's patient; else ""."""
    return recipient.cancels.patient_ref if recipient.cancels and recipient.other_patient else ""


def _others(recipient: Recipient) -> tuple[str, ...]:
    """The references of those who share the recipient's mail."""
    return tuple(one.recipient_ref for one in recipient.also)


def _again(task: DeliverNotificationInput) -> DeliverNotificationInput:
    """The task for a release or a fallback: without the members of this execution and recipient."""
    clinical = ExtractEntitiesResult(
        outcome=task.clinical.outcome, version_id=task.clinical.version_id
    )
    return DeliverNotificationInput(
        second=task.second,
        envelope=task.envelope,
        parsed=task.parsed,
        identities=task.identities,
        clinical=clinical,
    )


def endpoints_of(context: DeliveryContext, recipient: Recipient) -> tuple[str, ...]:
    """The references of the recipient's address in the ledger, that of the current key first."""
    return context.reference_keys.references("address", recipient.address.casefold())


def why_held(
    start: StartingPoint, recipient: Recipient, released: DeliveryItem | None
) -> tuple[str, str]:
    """The reason to hold this delivery and the end of the hold; two "" when it is sent now.

    `released` is the item of one that was held and is due; the recipient's own hours may hold it anew.
    """
    if start.paused:
        return HoldReason.SWITCHED_OFF, now()
    moment = datetime.now(UTC)
    if released:
        return holds.hold_again(recipient, released.hold_reason, moment)
    if (waits := holds.hold_for(recipient, moment))[0]:
        return waits
    # Behind those that wait for the quota already: ReleaseDeliveries says when there is room.
    return (HoldReason.QUOTA, now()) if start.account.quota_reached else ("", "")


def has_failed(attempt: Attempt, chosen: Recipient, recipient: Recipient) -> bool:
    """Whether the address bounced or complained before: that of `chosen`, or a newer one of the registry."""
    if recipient.address.casefold() == chosen.address.casefold():
        return attempt.start.address_failed
    return any(
        address_problems.read(attempt.context, AddressProblemState.ENDPOINT_BAD, reference)
        for reference in endpoints_of(attempt.context, recipient)
    )


def refusal_of(recipient: Recipient, address_failed: bool) -> str:
    """The reason to refuse a mail to this address before it is made; "" for none."""
    if not is_address(recipient.address):
        return BAD_ADDRESS
    return BAD_ENDPOINT if address_failed else ""
