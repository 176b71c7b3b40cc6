"""One SES event into the ledger and the audit chain of each patient event in the mail, once however often it comes."""

from lambdas.common import deliveries
from lambdas.common.audit import chain
from lambdas.common.aws.items import Item
from lambdas.common.deliveries import WITHHELD
from lambdas.common.handler import Result, Run, Task
from lambdas.record_feedback import ledger
from lambdas.record_feedback.feedback import Feedback

Actions = dict[str, set[str]]


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
    actions = _actions(delivery)
    if not _is_news(feedback, actions):
        return False
    facts = {
        "sender": None,
        "recipient_ref": delivery["recipient_ref"],
        "channel": delivery["channel"],
        "delivery_id": delivery["delivery_id"],
        "patient_ref": delivery.get("patient_ref"),
        "encounter_ref": delivery.get("encounter_ref"),
        "ses_message_id": feedback.ses_message_id,
    }
    if _died_silent(feedback, delivery, actions):
        run.audit_of(delivery["event_id"], "SENT", "ok", **facts)
    own = {"ses_event": feedback.mark, "detail": feedback.kind}
    action, outcome = feedback.meaning.action, feedback.meaning.outcome
    run.audit_of(delivery["event_id"], action, outcome, **facts, **own)
    return True


def _died_silent(feedback: Feedback, delivery: Item, actions: Actions) -> bool:
    """Whether a release died between SES's answer and its entry: no workflow brings that one again."""
    told = feedback.event_type in ("Delivery", "Bounce")
    return told and bool(delivery.get("released")) and not {"SENT", "UNKNOWN"} & actions.keys()


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


def _actions(delivery: Item) -> Actions:
    """What the event's chain says of the delivery: each action with the SES events behind it."""
    found: Actions = {}
    for entry in chain.entries(delivery["event_id"]):
        if entry.get("delivery_id") == delivery["delivery_id"]:
            found.setdefault(entry["action"], set()).add(entry.get("ses_event", ""))
    return found


def _is_news(feedback: Feedback, actions: Actions) -> bool:
    """Whether the chain lacks this event.

    The ledger's mark alone would not do: a run may have died between mark and entry. SES's own `Send` is news only after an UNKNOWN: else the delivery's run has said SENT or will.
    """
    if feedback.event_type == "Send":
        return "UNKNOWN" in actions and "SENT" not in actions
    return feedback.mark not in actions.get(feedback.meaning.action, set())
