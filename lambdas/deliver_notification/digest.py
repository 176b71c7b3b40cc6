"""One mail for several held notifications of one recipient: a summary, under a delivery of its own.

The members are bound to it before it begins, and keep `held` until the summary's fate is known; so
whatever dies, the next release finds the same summary and what the ledger says of it.
"""

import uuid
from typing import Any

from lambdas.common import audit, deliveries
from lambdas.common.clock import milliseconds_since, now
from lambdas.common.deliveries import CLAIMED, HELD, REFUSED, SENDING, SENT, UNKNOWN
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.items import Item
from lambdas.common.keys import reference_keys
from lambdas.common.log import Result, Run, Task
from lambdas.common.models import Recipient
from lambdas.common.senders import sender_named
from lambdas.deliver_notification import holding, ledger, rate, record
from lambdas.deliver_notification.delivery import (
    BAD_ENDPOINT,
    LATEST_START_MS,
    send,
    why_held,
)
from lambdas.deliver_notification.detail import Detail, detail_for
from lambdas.deliver_notification.facts import reference_of
from lambdas.deliver_notification.ledger import Delivery
from lambdas.deliver_notification.letter import rendered, view_of
from lambdas.deliver_notification.material import Prepared, event_and_findings, identities_of
from lambdas.deliver_notification.words import words_in

SETTLED = (SENT, REFUSED, UNKNOWN)


def deliver_digest(task: Task, run: Run) -> Result:
    """Sends one summary at most once, settles its members, and returns recipient, outcome and id.

    `task["members"]` are delivery ids, `task["envelope"]["event_id"]` is the summary's own id. Raises
    `DependencyUnavailableError` or `ConfigurationError` when nothing was sent.
    """
    members = [item for item in map(deliveries.read, task["members"]) if item]
    recipients = [_recipient(item) for item in members]
    recipient = recipients[-1]
    detail = detail_for(recipient)
    delivery = _delivery(task, run, recipient)
    attempt = uuid.uuid4().hex
    item = deliveries.read(delivery.delivery_id)
    if item is None or item["state"] not in SETTLED:
        item = _attempt(task, run, delivery, members, recipients, detail, attempt)
    ours = item["attempt_id"] == attempt
    record.of_delivery(run, delivery, recipient.reasons, item, ours=ours, detail=detail)
    if item["state"] in SETTLED:
        for member in members:
            _settle(run, member, item)
    return {
        "recipient_ref": delivery.recipient_ref,
        "outcome": item["state"],
        "delivery_id": delivery.delivery_id,
    }


def _recipient(member: Item) -> Recipient:
    identities = identities_of(member["event_id"], member["task"])
    for known in (*identities.recipients, *identities.fallbacks):
        if known.recipient_ref == member["recipient_ref"]:
            return known
    raise LookupError("identities.json does not hold this recipient")


def _delivery(task: Task, run: Run, recipient: Recipient) -> Delivery:
    return Delivery(
        event_id=run.event_id,
        recipient_ref=recipient.recipient_ref,
        channel=recipient.channel,
        facts={
            "kind": "summary",
            "endpoint_ref": reference_keys().reference("address", recipient.address.casefold()),
            "members": list(task["members"]),
            "task": {"envelope": dict(task["envelope"]), "members": list(task["members"])},
        },
    )


def _attempt(  # noqa: PLR0917 - the parts of one attempt, used here alone
    task: Task,
    run: Run,
    delivery: Delivery,
    members: list[Item],
    recipients: list[Recipient],
    detail: Detail,
    attempt: str,
) -> Item:
    recipient = recipients[-1]
    known = deliveries.read(deliveries.endpoint_key(delivery.facts["endpoint_ref"]))
    if known and known["state"] == deliveries.ENDPOINT_BAD:
        item = ledger.claim(delivery, attempt, released=True)
        if item["state"] != CLAIMED:
            return item
        for member in members:
            deliveries.tell_instead(member)
        return ledger.refuse(delivery, attempt, BAD_ENDPOINT)
    mail, document = _prepared(members, recipients, detail, run.event_id).stored(
        run.event_id, delivery.delivery_id, recipient.address
    )
    if milliseconds_since(run.started_at) > LATEST_START_MS:
        raise DependencyUnavailableError("too late in this run to begin a send")
    item = ledger.claim(delivery, attempt, released=True)
    if item["state"] != CLAIMED:
        return item
    if why_held(recipient, released=True)[0] or not rate.may_send(released=True):
        return ledger.hold(delivery, attempt, holding.RATE, now())
    ledger.begin_sending(delivery, attempt, document)
    return send(delivery, attempt, mail, recipient.address)


def _prepared(
    members: list[Item], recipients: list[Recipient], detail: Detail, digest_id: str
) -> Prepared:
    words = words_in(recipients[-1].language)
    views = []
    for member, recipient in zip(members, recipients, strict=True):
        task = member["task"]
        event, clinical = event_and_findings(member["event_id"], task)
        sender = sender_named(task["envelope"]["sender"])
        views.append(view_of(event, clinical, recipient, sender, detail=detail.level))
    subject = words.digest_subject.format(count=len(views), reference=reference_of(digest_id))
    marks = {view.not_live for view in views if view.not_live}
    prefix = f"[{', '.join(sorted(marks))}] " if marks else ""
    return Prepared(rendered(prefix + subject, views, words), seal=detail.seal)


def _settle(run: Run, member: Item, summary: Item) -> None:
    """Gives a member the summary's fate and audits it in its own event's chain, each once."""
    changed = ledger.settle_member(member["delivery_id"], summary)
    action, outcome = record.RECORDED_AS[summary["state"]]
    said = any(
        entry["action"] == action and entry.get("delivery_id") == member["delivery_id"]
        for entry in audit.entries(member["event_id"])
    )
    if said or (not changed and member["state"] not in (HELD, SENDING)):
        return
    facts: dict[str, Any] = {
        "step": run.step_name,
        "actor": f"lambda:{run.step_name}",
        "action": action,
        "outcome": outcome,
        "started_at": run.started_at,
        "duration_ms": milliseconds_since(run.started_at),
        "attempt": run.attempt,
        "execution_arn": "",
        "sender": member["task"]["envelope"]["sender"],
        "recipient_ref": member["recipient_ref"],
        "channel": member["channel"],
        "delivery_id": member["delivery_id"],
        "summary_id": summary["delivery_id"],
        "documents": [summary["document"]] if "document" in summary else [],
        "ses_message_id": summary.get("ses_message_id"),
    }
    for name in ("patient_ref", "encounter_ref"):
        if name in member:
            facts[name] = member[name]
    audit.append(member["event_id"], facts)
