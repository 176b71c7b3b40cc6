"""Writes an SES event to the ledger and to the audit chain of each patient event in the mail, once."""

from collections.abc import Iterable
from functools import partial

from lambdas.common.audit.forms import text_of
from lambdas.common.aws.items import Item
from lambdas.common.contracts.audit import AuditAction, AuditEntry, AuditOutcome
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.common.contracts.workflow.tasks import FeedbackOutcome, RecordFeedbackResult
from lambdas.common.function.handler import Run
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.deliveries import deliveries
from lambdas.delivery.ledger.deliveries import feedback as ledger
from lambdas.delivery.ledger.entries import beside, decided, told_too
from lambdas.delivery.ledger.items import AddressProblemState, DeliveryItem
from lambdas.delivery.ledger.sending import address_problems
from lambdas.record_feedback.feedback import Detail, Feedback

Actions = dict[str, set[str]]

OPEN = frozenset({DeliveryState.SENDING, DeliveryState.UNKNOWN})
"""States in which SES alone knows whether it took the mail."""


def record(context: LedgerContext, detail: Detail, run: Run) -> RecordFeedbackResult:
    """Returns the outcome for the event: `recorded`, `known` (it came before), or `not_ours`.

    An event without our tags, or about a delivery that the ledger does not hold, is counted and
    dropped: an error would only make EventBridge bring it again.
    """
    feedback = Feedback.from_detail(detail)
    item = (
        ledger.note(context, feedback.delivery_id, feedback.event_id, feedback.mark)
        if feedback
        else None
    )
    if feedback is None or item is None:
        run.logger.warning("an SES event about no delivery of ours")
        run.count("FeedbackNotOurs")
        return RecordFeedbackResult(outcome=FeedbackOutcome.NOT_OURS)
    told = [item, *_members(context, item)]
    for delivery in told:
        if delivery.state in OPEN:
            ledger.settle(
                context, delivery.delivery_id, feedback.meaning.state, feedback.ses_message_id
            )
    # Before the audit entries: a run that ends here is repeated, and these writes give the same result then.
    if feedback.address_failed:
        _report_address(context, feedback, item)
    if feedback.is_final:
        for delivery in told:
            deliveries.tell_instead(context, delivery)
    added = [_record(run, feedback, delivery) for delivery in told]
    if not any(added):
        return RecordFeedbackResult(outcome=FeedbackOutcome.KNOWN, delivery_id=feedback.delivery_id)
    if feedback.meaning.outcome is not AuditOutcome.OK:
        run.count("NotificationNotDelivered")
    return RecordFeedbackResult(outcome=FeedbackOutcome.RECORDED, delivery_id=feedback.delivery_id)


def _members(context: LedgerContext, item: DeliveryItem) -> list[DeliveryItem]:
    """The deliveries that went out in this one, a summary; none for a notification."""
    found = [deliveries.read(context, key) for key in item.members]
    return [one for one in found if one and one.state is not DeliveryState.SUPPRESSED]


def _record(run: Run, feedback: Feedback, delivery: DeliveryItem) -> bool:
    """Audits the event in the chain of the delivery's own patient event; whether it was new there."""
    return run.audit_decided(delivery.event_id, partial(_entries, run, feedback, delivery))


def _entries(
    run: Run, feedback: Feedback, delivery: DeliveryItem, written: list[Item]
) -> list[AuditEntry]:
    """The entries about the event, beside those written before; none where it is no news."""
    actions = _actions(written, delivery)
    if not _is_news(feedback, actions):
        return []
    facts = {
        "sender": None,
        **delivery.audit_members,
        "ses_message_id": feedback.ses_message_id,
    }
    entries: list[AuditEntry] = []
    without_outcome = _is_without_outcome(feedback, delivery, actions)
    if without_outcome or _ends_doubt(feedback, actions):
        known = {
            (text_of(entry, "action"), text_of(entry, "recipient_ref"))
            for entry in written
            if entry.get("delivery_id") == delivery.delivery_id
        }
        entries += beside(delivery, known, run.entry, sender=None)
    if without_outcome:
        entries.append(run.entry(AuditAction.SENT, AuditOutcome.OK, **facts | decided(delivery)))
    own = {"ses_event": feedback.mark, "detail": feedback.detail_code}
    if feedback.meaning.action is AuditAction.SENT:
        own |= decided(delivery)
    action, outcome = feedback.meaning.action, feedback.meaning.outcome
    entries.append(run.entry(action, outcome, **facts, **own))
    if outcome is not AuditOutcome.OK:
        # The mail told the others in it no more than its first recipient.
        for other in delivery.also:
            of_other = {**facts, **told_too(delivery, other)}
            entries.append(run.entry(action, outcome, **of_other, **own))
    return entries


def _is_without_outcome(feedback: Feedback, delivery: DeliveryItem, actions: Actions) -> bool:
    """Whether a release ended between SES's answer and its audit entry, which no workflow would repeat."""
    told = feedback.event_type in ("Delivery", "Bounce")
    return told and delivery.released and not {"SENT", "UNKNOWN"} & actions.keys()


def _ends_doubt(feedback: Feedback, actions: Actions) -> bool:
    """Whether the event proves that a mail went of which the chain says UNKNOWN."""
    proves = feedback.meaning.state is DeliveryState.SENT
    return proves and "UNKNOWN" in actions and "SENT" not in actions


def _report_address(context: LedgerContext, feedback: Feedback, item: DeliveryItem) -> None:
    """Reports the address as bad, so that no later mail goes to it."""
    if item.endpoint_ref:
        address_problems.report(
            context,
            AddressProblemState.ENDPOINT_BAD,
            item.endpoint_ref,
            recipient_ref=item.recipient_ref,
            reason=feedback.meaning.action.lower(),
        )


def _actions(entries: Iterable[Item], delivery: DeliveryItem) -> Actions:
    """The actions in the event's chain about the delivery, each with the SES events behind it."""
    found: Actions = {}
    for entry in entries:
        if entry.get("delivery_id") == delivery.delivery_id:
            marks = found.setdefault(text_of(entry, "action"), set())
            marks.add(text_of(entry, "ses_event"))
    return found


def _is_news(feedback: Feedback, actions: Actions) -> bool:
    """Whether the chain lacks this event.

    The ledger's mark alone is not enough: a run may have ended between mark and entry. SES's own `Send`
    is new only after an UNKNOWN: else the delivery's run has said SENT or will.
    """
    if feedback.event_type == "Send":
        return "UNKNOWN" in actions and "SENT" not in actions
    return feedback.mark not in actions.get(feedback.meaning.action, set())
