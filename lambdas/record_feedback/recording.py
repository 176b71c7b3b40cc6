"""One SES event into the ledger and the audit chain of each patient event in the mail, once however often it comes."""

from lambdas.common import audit, deliveries
from lambdas.common.deliveries import WITHHELD
from lambdas.common.items import Item
from lambdas.common.log import Result, Run, Task
from lambdas.record_feedback import ledger
from lambdas.record_feedback.feedback import Feedback


def record(task: Task, run: Run) -> Result:
    """What was done with the event: `recorded`, `known` (it came before), or `not_ours`.

    An event without our tags, or about a delivery that the ledger does not hold, is counted and
    dropped: an error would only make EventBridge bring it again.
    """
    feedback = Feedback.from_detail(task.get("detail", {}))
    item = ledger.note(feedback) if feedback else None
    if feedback is None or item is None:
        run.logger.warning("an SES event about no delivery of ours")
        run.count("FeedbackNotOurs")
        return {"outcome": "not_ours"}
    told = [item, *_members(item)]
    for delivery in told:
        ledger.settle(feedback, delivery["delivery_id"])
    if feedback.address_failed:
        _give_up_address(feedback, told)
    news = [_record(run, feedback, delivery) for delivery in told]
    if not any(news):
        return {"outcome": "known", "delivery_id": feedback.delivery_id}
    if feedback.meaning.outcome != "ok":
        run.count("NotificationNotDelivered")
    return {"outcome": "recorded", "delivery_id": feedback.delivery_id}


def _members(item: Item) -> list[Item]:
    """The deliveries that went out in this one, a summary; none for a notification."""
    found = map(deliveries.read, item.get("members", ()))
    return [member for member in found if member and member["state"] != WITHHELD]


def _record(run: Run, feedback: Feedback, delivery: Item) -> bool:
    """Audits the event in the chain of the delivery's own patient event; whether it was news there."""
    if not _is_news(feedback, delivery):
        return False
    run.audit_of(
        delivery["event_id"],
        feedback.meaning.action,
        feedback.meaning.outcome,
        sender=None,
        recipient_ref=delivery["recipient_ref"],
        channel=delivery["channel"],
        delivery_id=delivery["delivery_id"],
        patient_ref=delivery.get("patient_ref"),
        encounter_ref=delivery.get("encounter_ref"),
        ses_message_id=feedback.ses_message_id,
        ses_event=feedback.mark,
        detail=feedback.kind,
    )
    return True


def _give_up_address(feedback: Feedback, told: list[Item]) -> None:
    """Marks the address as bad, and has the directory's fallback told once of each event in the mail.

    Before the audit entry: a run that dies here is repeated, and both are the same whenever made.
    """
    item = told[0]
    endpoint = item.get("endpoint_ref", "")
    if endpoint:
        deliveries.mark(
            deliveries.endpoint_key(endpoint),
            deliveries.ENDPOINT_BAD,
            recipient_ref=item["recipient_ref"],
            reason=feedback.meaning.action.lower(),
        )
    for delivery in told:
        deliveries.tell_instead(delivery)


def _is_news(feedback: Feedback, delivery: Item) -> bool:
    """Whether the chain lacks this event. The ledger's mark alone would not do: a run may have died
    between mark and entry.

    SES's own `Send` is news only after an UNKNOWN: else the delivery's run has said SENT or will.
    """
    entries = [
        entry
        for entry in audit.entries(delivery["event_id"])
        if entry.get("delivery_id") == delivery["delivery_id"]
    ]
    if feedback.event_type == "Send":
        actions = {entry["action"] for entry in entries}
        return "UNKNOWN" in actions and "SENT" not in actions
    return all(entry.get("ses_event") != feedback.mark for entry in entries)
