"""Reads an event's trail from the status and audit tables.

The queues are not read: a received dead letter is invisible to a redrive for its visibility timeout.
Express workflows have no history in AWS (AWS Step Functions Developer Guide, "Choosing workflow type").
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from lambdas.common.audit import chain
from lambdas.common.contracts.workflow.status import EventStatus, StatusItem
from lambdas.delivery.ledger.context import LedgerContext
from ops.audit.entries import readable
from ops.aws_calls import side_by_side
from ops.deployment import Deployment
from ops.events import advice, queries, timeline
from ops.events.timeline import Entry, RecipientOutcome, RecipientTrace, Step
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
    event_kind: str
    error_name: str
    failed_step: str
    told: int
    note: str


@dataclass(frozen=True, slots=True)
class EventTrail:
    """The trail of one event, without patient data. Times are ISO 8601 in UTC, durations milliseconds."""

    event_id: str
    status: str
    event_kind: str
    note: str
    sender: str
    received_at: str
    updated_at: str
    error_name: str
    failed_step: str
    what_to_do: list[str]
    steps: list[Step]
    recipients: list[RecipientTrace]
    execution_arn: str
    console_link: str
    entries: list[Entry]


class TrailSource:
    """Reads trails of one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.context = deployment.context

    def recent(
        self, limit: int = 20, day: str = "", state: str = "", sender: str = ""
    ) -> list[EventSummary]:
        """Returns at most `limit` events, newest first.

        `day` is YYYY-MM-DD, "" for the last 14 days; `state` is a status, `sender` a name, "" for all.
        """
        items = (
            item
            for one_day in ([day] if day else queries.days_back())
            for item in queries.statuses_of(self.context, one_day, state, sender)
        )
        return side_by_side(lambda item: _summary(self.context, item), islice(items, limit))

    def find(self, reference: str) -> list[str]:
        """Returns the ids of the events with this event id or MSH-10, newest first."""
        if not reference:
            return []
        if queries.status_of(self.context, reference) or chain.entries(self.context, reference):
            return [reference]
        return queries.events_of_control_id(self.context, reference)

    def event(self, event_id: str) -> EventTrail | None:
        """Returns the trail of one event, None when neither table has it."""
        found = queries.status_of(self.context, event_id)
        entries = readable(chain.entries(self.context, event_id))
        if found is None and not entries:
            return None
        recipients = timeline.recipients(entries)
        item = found or StatusItem(event_id=event_id, status=EventStatus.OPEN)
        error_name = item.error_name if item.status is EventStatus.FAILED else ""
        return EventTrail(
            event_id=event_id,
            status=item.status if found else "",
            event_kind=timeline.event_kind(entries),
            note=timeline.note(entries),
            sender=item.sender,
            received_at=timeline.received_at(entries) or item.received_at,
            updated_at=item.updated_at,
            error_name=error_name,
            failed_step=item.failed_step if error_name else "",
            what_to_do=[
                advice.in_environment(text, self.deployment.environment)
                for text in _what_to_do(event_id, error_name, recipients)
            ],
            steps=timeline.timeline(entries),
            recipients=recipients,
            execution_arn=item.execution_arn,
            console_link=self._console_link(item.execution_arn, entries),
            entries=[timeline.presentable(entry) for entry in entries],
        )

    def dead_letters(self) -> DeadLetters:
        """Returns the failed events and the number of messages on the dead-letter queue."""
        return dead_letters.listed(self.deployment)

    def _console_link(self, execution_arn: str, entries: list[Entry]) -> str:
        """The URL of this Express execution in the AWS console, "" on the local system."""
        if self.deployment.is_local or not execution_arn:
            return ""
        starts = [e["started_at"] for e in entries if e.get("execution_arn") == execution_arn]
        # The console reads an Express execution from its log, from this time on.
        start = f"?startDate={_epoch_ms(min(starts))}" if starts else ""
        region = self.deployment.region
        return (
            f"https://{region}.console.aws.amazon.com/states/home?region={region}"
            f"#/express-executions/details/{execution_arn}{start}"
        )


def _summary(context: LedgerContext, item: StatusItem) -> EventSummary:
    entries = readable(chain.entries(context, item.event_id))
    failed = item.status is EventStatus.FAILED
    return EventSummary(
        event_id=item.event_id,
        status=item.status,
        received_at=item.received_at,
        updated_at=item.updated_at,
        sender=item.sender,
        event_kind=timeline.event_kind(entries),
        error_name=item.error_name if failed else "",
        failed_step=item.failed_step if failed else "",
        note=timeline.note(entries),
        told=sum(r.outcome is RecipientOutcome.SENT for r in timeline.recipients(entries)),
    )


def _what_to_do(event_id: str, error_name: str, recipients: list[RecipientTrace]) -> list[str]:
    said = [advice.for_error(error_name, event_id)] if error_name else []
    for recipient in recipients:
        for outcome in (recipient.outcome, *(f.outcome for f in recipient.feedback)):
            said.append(
                advice.for_recipient(outcome, recipient.recipient_ref, recipient.delivery_id)
            )
    return [text for text in dict.fromkeys(said) if text]


def _epoch_ms(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
