"""One mail for several held notifications of one recipient: a summary, under a delivery of its own.

The members are bound to it before it begins, and keep `held` until the summary's fate is known; so
whatever dies, the next release finds the same summary and what the ledger says of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.common import audit, deliveries
from lambdas.common.clock import now
from lambdas.common.deliveries import HELD, REFUSED, SENT, UNKNOWN, WITHHELD
from lambdas.common.items import Item
from lambdas.common.log import Result, Run, Task
from lambdas.common.models import Recipient
from lambdas.common.senders import sender_named
from lambdas.deliver_notification import ledger, record
from lambdas.deliver_notification.attempt import Attempt
from lambdas.deliver_notification.delivery import (
    BAD_ENDPOINT,
    endpoint_of,
    hold_reason_of,
    is_given_up,
    why_held,
)
from lambdas.deliver_notification.detail import Detail, detail_for
from lambdas.deliver_notification.facts import reference_of
from lambdas.deliver_notification.ledger import Delivery
from lambdas.deliver_notification.letter import rendered, view_of
from lambdas.deliver_notification.material import (
    Prepared,
    Told,
    event_and_findings,
    identities_of,
    recipient_in,
)
from lambdas.deliver_notification.withdrawing import why_withheld
from lambdas.deliver_notification.words import words_in

SETTLED = (SENT, REFUSED, UNKNOWN, WITHHELD)

ALL_WITHHELD = "all_withheld"
"""Why a summary is withheld: every event in it was."""


@dataclass(frozen=True, slots=True)
class Member:
    """One held notification in a summary: its ledger item, what it tells, and whom."""

    item: Item
    told: Told
    recipient: Recipient

    @classmethod
    def of(cls, item: Item) -> "Member":
        """The member whose ledger item this is."""
        identities = identities_of(item["event_id"], item["task"])
        recipient = recipient_in(identities, item["recipient_ref"])
        return cls(item, event_and_findings(item["event_id"], item["task"]), recipient)


def deliver_digest(task: Task, run: Run) -> Result:
    """Sends one summary at most once, settles its members, and returns recipient, outcome and id.

    `task["members"]` are delivery ids, `task["envelope"]["event_id"]` is the summary's own id. Raises
    `DependencyUnavailableError` or `ConfigurationError` when nothing was sent.
    """
    members = [Member.of(item) for item in map(deliveries.read, task["members"]) if item]
    recipient = members[-1].recipient
    detail = detail_for(recipient)
    delivery = _delivery(task, run, recipient)
    attempt = Attempt(run, delivery, released=True)
    item = deliveries.read(delivery.delivery_id)
    if item is None or item["state"] not in SETTLED:
        item = _made(attempt, members, detail)
    record.of_delivery(
        run, delivery, recipient.reasons, item, ours=attempt.made(item), detail=detail
    )
    if item["state"] in SETTLED:
        fate = {
            "state": item["state"],
            "sent_at": item.get("sent_at") or now(),
            "ses_message_id": item.get("ses_message_id"),
            "reason": item.get("reason"),
        }
        for member in members:
            _settle(run, member.item, item, fate)
    return {
        "recipient_ref": delivery.recipient_ref,
        "outcome": item["state"],
        "delivery_id": delivery.delivery_id,
        **hold_reason_of(item),
    }


def _delivery(task: Task, run: Run, recipient: Recipient) -> Delivery:
    return Delivery(
        event_id=run.event_id,
        recipient_ref=recipient.recipient_ref,
        channel=recipient.channel,
        facts={
            "kind": "summary",
            "endpoint_ref": endpoint_of(recipient),
            "members": list(task["members"]),
            "task": {"envelope": dict(task["envelope"]), "members": list(task["members"])},
        },
    )


def _made(attempt: Attempt, members: Sequence[Member], detail: Detail) -> Item:
    """The summary's item after this run's try at it."""
    recipient = members[-1].recipient
    if is_given_up(attempt.delivery):
        return attempt.refused(BAD_ENDPOINT, [member.item for member in members])
    reason, until = why_held(recipient, released=True)
    if reason:
        return attempt.held(reason, until)
    wanted = [member for member in members if not _withheld(attempt, member)]
    if not wanted:
        return attempt.withheld(ALL_WITHHELD)
    return attempt.sent(_prepared(wanted, detail, attempt.run.event_id), recipient.address)


def _withheld(attempt: Attempt, member: Member) -> bool:
    """Whether the member's event was withdrawn before the summary promised to tell it; settles it if so."""
    item = member.item
    if item["state"] == WITHHELD:
        return True
    delivery = Delivery(
        item["event_id"],
        item["recipient_ref"],
        item["channel"],
        item["patient_ref"],
        item.get("encounter_ref", ""),
    )
    because = why_withheld(delivery, item["task"], member.told[0], member.recipient, promised=True)
    if because:
        summary = {"delivery_id": attempt.delivery.delivery_id, "event_id": attempt.run.event_id}
        _settle(attempt.run, item, summary, {"state": WITHHELD, "reason": because})
    return bool(because)


def _prepared(members: Sequence[Member], detail: Detail, digest_id: str) -> Prepared:
    words = words_in(members[-1].recipient.language)
    views = [
        view_of(
            *member.told,
            member.recipient,
            sender_named(member.item["task"]["envelope"]["sender"]),
            detail=detail.level,
        )
        for member in members
    ]
    subject = words.digest_subject.format(count=len(views), reference=reference_of(digest_id))
    marks = {view.not_live for view in views if view.not_live}
    prefix = f"[{', '.join(sorted(marks))}] " if marks else ""
    return Prepared(rendered(prefix + subject, views, words), seal=detail.seal)


def _settle(run: Run, member: Item, summary: Item, fate: dict[str, Any]) -> None:
    """Gives a member its fate and audits it in its own event's chain, each once."""
    if (deliveries.read(member["delivery_id"]) or member)["state"] != HELD:
        return
    action, outcome = record.RECORDED_AS[fate["state"]]
    # The entry first: a member that is settled is never looked at again.
    if not any(
        entry["action"] == action and entry.get("delivery_id") == member["delivery_id"]
        for entry in audit.entries(member["event_id"])
    ):
        run.audit_of(
            member["event_id"],
            action,
            outcome,
            execution_arn="",
            sender=member["task"]["envelope"]["sender"],
            recipient_ref=member["recipient_ref"],
            channel=member["channel"],
            delivery_id=member["delivery_id"],
            patient_ref=member.get("patient_ref"),
            encounter_ref=member.get("encounter_ref"),
            summary_id=summary["delivery_id"],
            documents=[summary["document"]] if "document" in summary else [],
            ses_message_id=summary.get("ses_message_id"),
            withheld_because=fate["reason"] if fate["state"] == WITHHELD else None,
        )
    ledger.settle_member(member["delivery_id"], summary["event_id"], fate)
