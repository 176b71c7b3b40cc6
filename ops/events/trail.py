"""The trail of an event, read from the status and audit tables alone.

Never from the queue: receiving a dead letter to look at it would hide it from whoever redrives it.
Express workflows keep no history in AWS, so what happened is what was audited.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from lambdas.common import status
from lambdas.common.audit import chain
from lambdas.delivery.ledger.context import LedgerContext
from ops.deployment import Deployment
from ops.events import advice, steps, tables
from ops.events.steps import Entry, Recipient, Step
from ops.queues import dead_letters
from ops.queues.dead_letters import DeadLetters


@dataclass(frozen=True, slots=True)
class EventSummary:
    """One line of a list of events."""

    event_id: str
    status: str
    received_at: str
    updated_at: str
    sender: str
    kind: str
    error_name: str
    failed_step: str
    told: int
    note: str


@dataclass(frozen=True, slots=True)
class EventTrail:
    """Everything an operator may see of one event; times are ISO 8601 in UTC, durations milliseconds."""

    event_id: str
    status: str
    kind: str
    note: str
    sender: str
    received_at: str
    updated_at: str
    error_name: str
    failed_step: str
    what_to_do: list[str]
    steps: list[Step]
    recipients: list[Recipient]
    execution_arn: str
    console_link: str
    entries: list[Entry]

    def to_dict(self) -> dict[str, Any]:
        """The trail as JSON values."""
        return asdict(self)


class TrailSource:
    """Reads trails of one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.context = deployment.context

    def recent(self, limit: int = 20, day: str = "", state: str = "") -> list[EventSummary]:
        """The newest events first; of one day (YYYY-MM-DD), or of the last 14; of one status or all."""
        found: list[EventSummary] = []
        for one_day in [day] if day else tables.days_back():
            for item in tables.statuses_of(self.context, one_day, state):
                found.append(_summary(self.context, item))
                if len(found) == limit:
                    return found
        return found

    def find(self, reference: str) -> list[str]:
        """The event ids that a reference means, newest first: an event id, or a sender's MSH-10."""
        if not reference:
            return []
        if status.read(self.context, reference) or chain.entries(self.context, reference):
            return [reference]
        return tables.events_of_control_id(self.context, reference)

    def event(self, event_id: str) -> EventTrail | None:
        """The trail of one event; None when nothing is known of it."""
        item = status.read(self.context, event_id) or {}
        entries = chain.entries(self.context, event_id)
        if not item and not entries:
            return None
        recipients = steps.recipients(entries)
        state = item.get("status", "")
        error_name = item.get("error_name", "") if state == status.FAILED else ""
        execution_arn = item.get("execution_arn", "")
        return EventTrail(
            event_id=event_id,
            status=state,
            kind=steps.kind(entries),
            note=steps.note(entries),
            sender=item.get("sender", ""),
            received_at=steps.received_at(entries) or item.get("received_at", ""),
            updated_at=item.get("updated_at", ""),
            error_name=error_name,
            failed_step=item.get("failed_step", "") if error_name else "",
            what_to_do=_what_to_do(event_id, error_name, recipients),
            steps=steps.timeline(entries),
            recipients=recipients,
            execution_arn=execution_arn,
            console_link=self._console_link(execution_arn, entries),
            entries=[steps.presentable(entry) for entry in entries],
        )

    def dead_letters(self) -> DeadLetters:
        """The events that were given up, and the dead-letter queue's own count."""
        return dead_letters.listed(self.deployment)

    def _console_link(self, execution_arn: str, entries: list[Entry]) -> str:
        """Where the AWS console shows this Express execution; "" on the local system."""
        if self.deployment.is_local or not execution_arn:
            return ""
        starts = [e["started_at"] for e in entries if e.get("execution_arn") == execution_arn]
        # The console reads an Express execution from the log and wants to know from when on.
        start = f"?startDate={_epoch_ms(min(starts))}" if starts else ""
        region = self.deployment.region
        return (
            f"https://{region}.console.aws.amazon.com/states/home?region={region}"
            f"#/express-executions/details/{execution_arn}{start}"
        )


def _summary(context: LedgerContext, item: dict[str, Any]) -> EventSummary:
    entries = chain.entries(context, item["event_id"])
    failed = item["status"] == status.FAILED
    return EventSummary(
        event_id=item["event_id"],
        status=item["status"],
        received_at=item.get("received_at", ""),
        updated_at=item.get("updated_at", ""),
        sender=item.get("sender", ""),
        kind=steps.kind(entries),
        error_name=item.get("error_name", "") if failed else "",
        failed_step=item.get("failed_step", "") if failed else "",
        note=steps.note(entries),
        told=sum(r.outcome == "sent" for r in steps.recipients(entries)),
    )


def _what_to_do(event_id: str, error_name: str, recipients: list[Recipient]) -> list[str]:
    said = [advice.for_error(error_name, event_id)] if error_name else []
    for recipient in recipients:
        for outcome in (recipient.outcome, *(f.outcome for f in recipient.feedback)):
            said.append(advice.for_recipient(outcome, recipient.recipient_ref))
    return [text for text in dict.fromkeys(said) if text]


def _epoch_ms(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
