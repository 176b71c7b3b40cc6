"""One SES event into the ledger and into the patient event's audit chain, once however often it comes."""

from lambdas.common import audit, deliveries
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
    ledger.settle(feedback)
    if feedback.address_failed:
        _give_up_address(feedback, item)
    if not _is_news(feedback):
        return {"outcome": "known", "delivery_id": feedback.delivery_id}
    run.audit(
        feedback.meaning.action,
        feedback.meaning.outcome,
        sender=None,
        recipient_ref=item["recipient_ref"],
        channel=item["channel"],
        delivery_id=feedback.delivery_id,
        patient_ref=item.get("patient_ref"),
        encounter_ref=item.get("encounter_ref"),
        ses_message_id=feedback.ses_message_id,
        ses_event=feedback.mark,
        detail=feedback.kind,
    )
    if feedback.meaning.outcome != "ok":
        run.count("NotificationNotDelivered")
    return {"outcome": "recorded", "delivery_id": feedback.delivery_id}


def _give_up_address(feedback: Feedback, item: Item) -> None:
    """Marks the address as bad, and has the directory's fallback told once of each event in the mail.

    Before the audit entry: a run that dies here is repeated, and both are the same whenever made.
    """
    endpoint = item.get("endpoint_ref", "")
    if endpoint:
        deliveries.mark(
            deliveries.endpoint_key(endpoint),
            deliveries.ENDPOINT_BAD,
            recipient_ref=item["recipient_ref"],
            reason=feedback.meaning.action.lower(),
        )
    members = [member for member in map(deliveries.read, item.get("members", ())) if member]
    for told in members or [item]:
        deliveries.tell_instead(told)


def _is_news(feedback: Feedback) -> bool:
    """Whether the chain lacks this event. The ledger's mark alone would not do: a run may have died
    between mark and entry.

    SES's own `Send` is news only after an UNKNOWN: else the delivery's run has said SENT or will.
    """
    entries = [
        entry
        for entry in audit.entries(feedback.event_id)
        if entry.get("delivery_id") == feedback.delivery_id
    ]
    if feedback.event_type == "Send":
        actions = {entry["action"] for entry in entries}
        return "UNKNOWN" in actions and "SENT" not in actions
    return all(entry.get("ses_event") != feedback.mark for entry in entries)
