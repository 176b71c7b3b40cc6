"""One mail for several held notifications of one recipient: a summary, under a delivery of its own.

The members are bound to it before it begins, and keep `held` until the summary is settled; so
after any failure the next release finds the same summary and its state in the ledger.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws.items import Item
from lambdas.common.clock import now
from lambdas.common.contracts.audit import AuditAction, AuditEntry, AuditOutcome
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.contracts.recipients.policy import PolicyDecision
from lambdas.common.contracts.recipients.recipient import Recipient
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.common.contracts.workflow.tasks import (
    DeliverNotificationInput,
    DeliverNotificationResult,
)
from lambdas.common.errors import ContractError
from lambdas.common.function.handler import Run
from lambdas.common.senders import sender_named
from lambdas.delivery import audit
from lambdas.delivery.attempt import Attempt
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.decisions.cancellation import enlisted
from lambdas.delivery.decisions.detail import Detail, detail_for, detail_under
from lambdas.delivery.decisions.recheck import ChosenNotice, Standing, standings, strictest_detail
from lambdas.delivery.decisions.reduction import reduced
from lambdas.delivery.delivery import (
    endpoints_of,
    has_failed,
    refusal_of,
    result_of,
    why_held,
)
from lambdas.delivery.ledger import entries
from lambdas.delivery.ledger.decision import MailDecision
from lambdas.delivery.ledger.deliveries import deliveries
from lambdas.delivery.ledger.deliveries.deliveries import MemberOutcome
from lambdas.delivery.ledger.deliveries.starting_point import starting_point
from lambdas.delivery.ledger.items import SETTLED, DeliveryItem
from lambdas.delivery.letter.facts import reference_of
from lambdas.delivery.letter.letter import rendered, view_of
from lambdas.delivery.letter.told import Told
from lambdas.delivery.letter.words.locale import words_in
from lambdas.delivery.vault_documents import (
    Prepared,
    identities_of,
    instead_of,
    made_for,
    recipient_in,
    told_to,
    with_updates,
)

ALL_SUPPRESSED = "all_suppressed"
"""Why a summary is suppressed: every notification in it was."""


@dataclass(frozen=True, slots=True)
class HeldNotification:
    """One held notification in a summary: its ledger item, its content, and its recipient."""

    item: DeliveryItem
    told: Told
    recipient: Recipient
    identities: Identities

    @classmethod
    def of(cls, context: DeliveryContext, item: DeliveryItem) -> "HeldNotification":
        """The member whose ledger item this is."""
        task = _task(item)
        identities = identities_of(context, item.event_id, task)
        recipient = recipient_in(identities, item.recipient_ref, second=task.second)
        return cls(item, told_to(context, task, identities, recipient), recipient, identities)


def deliver_summary(
    context: DeliveryContext, task: DeliverNotificationInput, run: Run
) -> DeliverNotificationResult:
    """Sends one summary at most once, settles its members, and returns recipient, outcome and id.

    `task.members` are delivery ids, `task.envelope.event_id` is the summary's own id. Raises
    `DependencyUnavailableError` or `ConfigurationError` when nothing was sent.
    """
    members, unreadable = _read(context, deliveries.read_several(context, task.members))
    recipient = members[-1].recipient
    detail = detail_for(context, recipient)
    delivery = _delivery(context, task, run, members)
    start = starting_point(context, delivery.delivery_id, endpoints_of(context, recipient))
    attempt = Attempt(context, run, delivery, released=True, start=start)
    item = attempt.found()
    if item is None or item.state not in SETTLED:
        for one in unreadable:
            run.logger.error("a held delivery cannot be read", delivery_id=one.delivery_id)
            deliveries.unbind(context, one.delivery_id, run.event_id)
        item, detail, members = _made(context, attempt, members, detail)
    audit.of_delivery(context, run, item, recipient.reasons, ours=attempt.made(item), detail=detail)
    if item.state in SETTLED:
        outcome = MemberOutcome(item.state, item.reason, item.ses_message_id, item.sent_at or now())
        for member in members:
            _settle(context, run, member, item, outcome)
    return result_of(item)


def _read(
    context: DeliveryContext, items: Sequence[DeliveryItem]
) -> tuple[list[HeldNotification], list[DeliveryItem]]:
    """The members, and the items of those whose documents cannot be read: they hold back none of the others.

    Raises the error of the last one where none can be read.
    """
    members: list[HeldNotification] = []
    unreadable: list[DeliveryItem] = []
    failed: Exception = LookupError("the ledger holds none of the summary's members")
    for item in items:
        try:
            members.append(HeldNotification.of(context, item))
        except (ClientError, ContractError, LookupError, ValueError) as error:
            unreadable.append(item)
            failed = error
    if not members:
        raise failed
    return members, unreadable


def _delivery(
    context: DeliveryContext,
    task: DeliverNotificationInput,
    run: Run,
    members: Sequence[HeldNotification],
) -> DeliveryItem:
    recipient = members[-1].recipient
    return DeliveryItem(
        delivery_id=deliveries.delivery_id(
            run.event_id, recipient.recipient_ref, recipient.channel
        ),
        state=DeliveryState.CLAIMED,
        event_id=run.event_id,
        recipient_ref=recipient.recipient_ref,
        channel=recipient.channel,
        endpoint_ref=endpoints_of(context, recipient)[0],
        members=tuple(one.item.delivery_id for one in members),
        task=DeliverNotificationInput(envelope=task.envelope, members=task.members),
    )


def _made(
    context: DeliveryContext, attempt: Attempt, members: list[HeldNotification], detail: Detail
) -> tuple[DeliveryItem, Detail, list[HeldNotification]]:
    """The summary's item after this run's try at it, the detail of its mail, and its members.

    The members of a mail are the events that it tells, each with the recipient as decided again.
    """
    reason, until = why_held(attempt.start, members[-1].recipient, members[-1].item)
    if reason:
        return attempt.held(reason, until), detail, members
    listed = [newest for one in members if (newest := _enlisted(context, attempt, one)) is not None]
    allowed = _allowed(context, attempt, listed)
    if not allowed:
        return attempt.suppressed(ALL_SUPPRESSED), detail, members
    strictest = strictest_detail(member.recipient for member in allowed)
    recipient = replace(allowed[-1].recipient, detail=strictest)
    detail = detail_for(context, recipient)
    delivery = replace(
        attempt.delivery,
        endpoint_ref=endpoints_of(context, recipient)[0],
        decision=MailDecision(detail=detail.level, reduced=detail.reduced),
    )
    attempt = replace(attempt, delivery=delivery, members=tuple(member.item for member in allowed))
    if refusal := refusal_of(recipient, has_failed(attempt, members[-1].recipient, recipient)):
        return attempt.refused(refusal), detail, allowed
    mail = _prepared(context, allowed, detail, attempt.run.event_id)
    return attempt.sent(mail, recipient.address), detail, allowed


def _allowed(
    context: DeliveryContext, attempt: Attempt, members: Sequence[HeldNotification]
) -> list[HeldNotification]:
    """The members whose recipient may still be told; the others are settled as suppressed.

    The mail has one recipient: their choices are the strictest of all members.
    """
    notices = [ChosenNotice(one.identities, one.told.event, one.recipient) for one in members]
    allowed = []
    for member, standing in zip(members, standings(context, notices), strict=True):
        for one in standing.apart:
            deliveries.tell_apart(context, member.item, one.recipient_ref)
        if standing.recipient is not None:
            _leave_out(context, attempt.run, member, standing)
            decision = MailDecision.of(standing.policy)
            if decision != (member.item.decision or MailDecision.of(member.recipient.policy)):
                deliveries.note_decision(context, member.item.delivery_id, decision)
            allowed.append(replace(member, recipient=standing.recipient))
        else:
            reason = standing.refused[0].reason
            outcome = MemberOutcome(DeliveryState.SUPPRESSED, reason)
            _settle(context, attempt.run, member, attempt.delivery, outcome, policy=standing.policy)
    return allowed


def _leave_out(
    context: DeliveryContext, run: Run, member: HeldNotification, standing: Standing
) -> None:
    """Audits the member's recipients whom the mail leaves out, and writes the others to its item."""
    also = tuple(one.recipient_ref for one in standing.recipient.also) if standing.recipient else ()
    if also == member.item.also:
        return
    item = member.item

    def missing(written: list[Item]) -> list[AuditEntry]:
        action, outcome = AuditAction.SUPPRESSED, AuditOutcome.SUPPRESSED
        refused = audit.unaudited(written, item, [one.noted for one in standing.refused])
        return [
            _entry(run, item, action, outcome, **entries.of_refused(item, one)) for one in refused
        ]

    run.audit_decided(item.event_id, missing)
    deliveries.note_also(context, item.delivery_id, also)


def _enlisted(
    context: DeliveryContext, attempt: Attempt, member: HeldNotification
) -> HeldNotification | None:
    """The member with the updates that came while it waited.

    None where its event was withdrawn before the summary promised to tell it; it is settled then.
    """
    item = member.item
    if item.state is DeliveryState.SUPPRESSED:
        return None
    place = enlisted(context, item, _task(item), member.told.event, member.recipient, promised=True)
    if place.withdrawn_by:
        outcome = MemberOutcome(DeliveryState.SUPPRESSED, place.withdrawn_by)
        _settle(
            context, attempt.run, member, attempt.delivery, outcome, policy=member.recipient.policy
        )
        return None
    deliveries.note_updates(context, item.delivery_id, place.updates)
    return replace(member, told=with_updates(context, member.told, place.updates))


def _prepared(
    context: DeliveryContext, members: Sequence[HeldNotification], detail: Detail, summary_id: str
) -> Prepared:
    words = words_in(members[-1].recipient.language)
    views = [
        view_of(
            reduced(member.told, member.recipient),
            member.recipient,
            sender_named(context, _task(member.item).envelope.sender),
            detail=detail_under(detail, member.recipient).level,
            instead_of=instead_of(member.identities, member.recipient),
        )
        for member in members
    ]
    return Prepared(
        rendered(views, words, reference_of(summary_id)),
        seal=detail.seal,
        made_for=made_for(context, *((member.recipient, detail) for member in members)),
    )


def _settle(
    context: DeliveryContext,
    run: Run,
    held: HeldNotification,
    summary: DeliveryItem,
    outcome: MemberOutcome,
    *,
    policy: PolicyDecision | None = None,
) -> None:
    """Settles a member and audits it in its own event's chain, each once.

    `policy` is the decision that suppresses it. The default is the decision in the ledger, by which the
    summary was sent, or else that of LookupIdentities.
    """
    member = deliveries.read(context, held.item.delivery_id) or held.item
    if member.state is not DeliveryState.HELD:
        return
    action, recorded = audit.RECORDED_AS[outcome.state]
    suppressed = outcome.state is DeliveryState.SUPPRESSED
    if policy is None:
        policy = member.decision.policy if member.decision else held.recipient.policy
    decided = entries.of_policy(policy)

    def missing(written: list[Item]) -> list[AuditEntry]:
        if audit.is_audited(written, member, action):
            return []
        of_member = partial(_entry, run, member)
        sent = outcome.state is DeliveryState.SENT
        others = list(entries.beside(member, (), of_member, **decided)) if sent else []
        if outcome.state is DeliveryState.UNKNOWN:
            others = [
                of_member(action, recorded, **entries.told_too(member, one), **decided)
                for one in member.also
            ]
        facts = {
            **member.audit_members,
            "summary_id": summary.delivery_id,
            "documents": (summary.document,) if summary.document else (),
            "ses_message_id": outcome.ses_message_id,
            "suppressed_because": outcome.reason if suppressed else None,
            **decided,
        }
        return [*others, of_member(action, recorded, **facts)]

    # The entry first: a member that is settled is never looked at again.
    run.audit_decided(member.event_id, missing)
    deliveries.settle_member(context, member.delivery_id, summary.event_id, outcome)


def _entry(
    run: Run,
    member: DeliveryItem,
    action: AuditAction,
    outcome: AuditOutcome,
    **facts: Any,
) -> AuditEntry:
    """An entry for the chain of the member's own event, which belongs to no execution now."""
    of_event = {"execution_arn": "", "sender": _task(member).envelope.sender}
    return run.entry(action, outcome, **of_event, **facts)


def _task(item: DeliveryItem) -> DeliverNotificationInput:
    """The input with which DeliverNotification makes the delivery; `LookupError` where it has none."""
    if item.task is None:
        raise LookupError("the ledger's item has no task")
    return item.task
