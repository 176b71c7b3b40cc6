"""Reads an event of SES about a mail as EventBridge delivers it. Pure.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html: the same
object, as EventBridge's `detail`. It holds addresses, headers and diagnostic texts, which stay here.
"""

from dataclasses import dataclass
from typing import Any, Self

from lambdas.common.contracts.audit import AuditAction, AuditOutcome
from lambdas.common.contracts.workflow.delivery_states import DeliveryState

Detail = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Meaning:
    """An event type: its audit action, its own part of the event, and the state that it proves.

    `state` is the new state of a delivery that was `unknown`.
    """

    action: AuditAction
    outcome: AuditOutcome
    part: str
    state: DeliveryState = DeliveryState.SENT


MEANINGS = {
    "Send": Meaning(AuditAction.SENT, AuditOutcome.OK, "send"),
    "Delivery": Meaning(AuditAction.DELIVERED, AuditOutcome.OK, "delivery"),
    "DeliveryDelay": Meaning(AuditAction.DELAYED, AuditOutcome.OK, "deliveryDelay"),
    "Bounce": Meaning(AuditAction.BOUNCED, AuditOutcome.REFUSED, "bounce"),
    "Complaint": Meaning(AuditAction.COMPLAINED, AuditOutcome.REFUSED, "complaint"),
    "Reject": Meaning(AuditAction.REJECTED, AuditOutcome.REFUSED, "reject", DeliveryState.REFUSED),
    "Rendering Failure": Meaning(
        AuditAction.FAILED, AuditOutcome.FAILED, "failure", DeliveryState.REFUSED
    ),
}
"""SES's `eventType`. Opens and clicks are never tracked."""

DETAIL_CODES = {
    "Bounce": ("bounceType", frozenset({"Undetermined", "Permanent", "Transient"})),
    "DeliveryDelay": (
        "delayType",
        frozenset(
            {
                "InternalFailure",
                "General",
                "MailboxFull",
                "SpamDetected",
                "RecipientServerError",
                "IPFailure",
                "TransientCommunicationFailure",
                "BYOIPHostNameLookupUnavailable",
                "Undetermined",
                "SendingDeferral",
            }
        ),
    ),
}
"""Closed lists of SES's: the one detail of an event that is kept."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """One event about one delivery, by ids, codes and times."""

    event_id: str
    delivery_id: str
    event_type: str
    meaning: Meaning
    happened_at: str
    detail_code: str
    ses_message_id: str

    @property
    def mark(self) -> str:
        """The key of this event among those of the delivery: the same event delivered twice has one key."""
        return f"{self.meaning.action}#{self.happened_at}"

    @property
    def address_failed(self) -> bool:
        """Whether nothing more can reach this address: a hard bounce, or its reader's complaint."""
        return self.event_type == "Complaint" or (
            self.event_type == "Bounce" and self.detail_code == "Permanent"
        )

    @property
    def is_final(self) -> bool:
        """Whether the recipient does not get this mail: the directory's fallback is told instead.

        SES reports a soft bounce after its last try only.
        https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_EventDestination.html
        """
        refused = self.meaning.state is DeliveryState.REFUSED
        return refused or self.event_type in ("Bounce", "Complaint")

    @classmethod
    def from_detail(cls, detail: Detail) -> Self | None:
        """The feedback in an event's detail; None when it says nothing about a delivery of ours."""
        mail, event_type = detail.get("mail", {}), detail.get("eventType", "")
        meaning = MEANINGS.get(event_type)
        event_id, delivery_id = tag(detail, "event_id"), tag(detail, "delivery_id")
        if meaning is None or not event_id or not delivery_id or _is_no_complaint(detail):
            return None
        part = detail.get(meaning.part) or {}
        name, known = DETAIL_CODES.get(event_type, ("", frozenset()))
        code = part.get(name, "")
        return cls(
            event_id=event_id,
            delivery_id=delivery_id,
            event_type=event_type,
            meaning=meaning,
            happened_at=part.get("timestamp") or mail["timestamp"],
            detail_code=code if code in known else "",
            ses_message_id=mail["messageId"],
        )


def _is_no_complaint(detail: Detail) -> bool:
    """Whether a reader took the mail out of the spam folder, which SES reports as a complaint (RFC 6430).

    https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
    """
    return (detail.get("complaint") or {}).get("complaintFeedbackType") == "not-spam"


def tag(detail: Detail, name: str) -> str:
    """The value of a tag that DeliverNotification gave the mail; "" where it has none."""
    values = detail.get("mail", {}).get("tags", {}).get(name, [])
    return values[0] if values else ""
