"""The input and the result of each task of the workflow: ids, keyed references, codes, counts and outcomes.

Names as in the workflow's state (docs/architecture.md#workflow-state). A member that only some calls
have has a default, so a task of an older version is readable too.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lambdas.common.contracts.findings import FindingsOutcome
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.recipients.preferences import CostMode, DetailLevel
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.common.contracts.workflow.envelope import Envelope


class FeedbackOutcome(StrEnum):
    """The outcome of an SES event: recorded, known (it came before), or about no delivery of ours."""

    RECORDED = "recorded"
    KNOWN = "known"
    NOT_OURS = "not_ours"


class ReleaseOutcome(StrEnum):
    """The outcome of a due delivery in one run of ReleaseDeliveries.

    `quota` is held for SES's daily quota, `failed` has no answer, `later` waits for the next run; for
    `nothing` there is no item any more. The others are the states of DeliverNotification's result.
    """

    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    HELD = "held"
    SUPPRESSED = "suppressed"
    QUOTA = "quota"
    FAILED = "failed"
    LATER = "later"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReference:
    """The members of the envelope that later states keep."""

    event_id: str
    sender: str = "unknown"
    received_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedReference:
    """ParseMessage's result, as far as later steps use it. `version_id` is that of `event.json`."""

    version_id: str = ""
    encounter_ref: str = ""
    event_kind: EventKind = EventKind.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitiesReference:
    """LookupIdentities' result, as far as DeliverNotification uses it."""

    version_id: str = ""
    patient_ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientReference:
    """One recipient in the state, with the preferences that decide how much of the notes is analysed.

    `second`: the second notice of the event to this recipient.
    """

    recipient_ref: str
    detail: DetailLevel = DetailLevel.FULL
    analysis: CostMode | None = None
    second: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepInput(ABC):
    """Members of every task: the execution, and how often the state was retried."""

    execution_arn: str = ""
    attempt: int = 0

    @property
    @abstractmethod
    def event(self) -> EventReference:
        """The event in whose audit chain the step writes; "" for an SES event about no mail of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInput(StepInput):
    """A task about the event that ParseMessage has read."""

    envelope: EventReference

    @property
    def event(self) -> EventReference:
        """The event of the envelope."""
        return self.envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseMessageInput(StepInput):
    """The queue message."""

    envelope: Envelope

    @property
    def event(self) -> EventReference:
        """The event of the queue message."""
        found = self.envelope
        return EventReference(
            event_id=found.event_id, sender=found.sender, received_at=found.received_at
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseMessageResult:
    """The codes of the message for the workflow; a duplicate has none. The rest is in `event.json`."""

    event_id: str
    sender: str
    received_at: str
    trigger_event: str = ""
    event_kind: EventKind = EventKind.NONE
    encounter_ref: str = ""
    notifiable: bool = False
    changes_identity: bool = False
    duplicate: bool = False
    version_id: str = ""


CLOSINGS = "closings"
"""The audit chain for a failure of the scheduled closing of stays, which belongs to no single event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackEncounterInput(EventInput):
    """The parsed event. A `duplicate` was completed before, and is not looked at again.

    The clock's call has no envelope: then stays without an end are closed.
    """

    envelope: EventReference = EventReference(event_id=CLOSINGS)
    parsed: ParsedReference = ParsedReference()
    duplicate: bool = False


ROSTERS = "rosters"
"""The audit chain for a failure of the daily check of rosters, which belongs to no single event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupIdentitiesInput(EventInput):
    """The event to look up. The clock's call has no envelope: then the rosters are counted."""

    envelope: EventReference = EventReference(event_id=ROSTERS)
    parsed: ParsedReference = ParsedReference()


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupIdentitiesResult:
    """The recipients of the event; none for an event that only changes identities."""

    patient_ref: str = ""
    recipient_count: int = 0
    recipients: tuple[RecipientReference, ...] = ()
    version_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingCount:
    """The number of stays that were closed without an end."""

    closed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterCount:
    """The number of rosters that end soon."""

    ending: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractEntitiesInput(EventInput):
    """The event, its recipients, and the turn (milliseconds since the epoch) that an earlier call took."""

    parsed: ParsedReference
    started_at: str
    recipients: tuple[RecipientReference, ...] = ()
    turn: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractEntitiesResult:
    """The outcome and the numbers of findings. `unanswered` counts parts without an answer in time.

    `deferred`: the workflow waits `wait_seconds` and calls again with `turn`. `version_id` of
    `clinical.json` is "" where there is none.
    """

    outcome: FindingsOutcome
    conditions: int = 0
    medications: int = 0
    unanswered: int = 0
    version_id: str = ""
    turn: int = 0
    wait_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverNotificationInput(EventInput):
    """One event for one recipient; or, with `members` (delivery ids), a summary of held deliveries.

    `released`: a held delivery is due, and is sent now. `second`: the second notice of the event to this
    recipient.
    """

    recipient_ref: str = ""
    second: bool = False
    parsed: ParsedReference = ParsedReference()
    identities: IdentitiesReference = IdentitiesReference()
    clinical: ExtractEntitiesResult = ExtractEntitiesResult(outcome=FindingsOutcome.UNAVAILABLE)
    members: tuple[str, ...] = ()
    released: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverNotificationResult:
    """The delivery and its outcome. `hold_reason` is "" for one that is not held."""

    recipient_ref: str
    outcome: DeliveryState
    delivery_id: str
    hold_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFeedbackInput(StepInput):
    """An event of SES, as EventBridge delivers it. `detail` is SES's own JSON.

    https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
    """

    detail: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def event(self) -> EventReference:
        """The event of the mail, from the tags that DeliverNotification gave it."""
        tags = self.detail.get("mail", {}).get("tags", {})
        return EventReference(event_id=next(iter(tags.get("event_id", [])), ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFeedbackResult:
    """The outcome; `delivery_id` is "" for an event about no delivery of ours."""

    outcome: FeedbackOutcome
    delivery_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDeliveriesInput(StepInput):
    """The clock's call; it has no members of its own."""

    @property
    def event(self) -> EventReference:
        """The chain under which the function's own failures are audited: it serves no single event."""
        return EventReference(event_id="releases")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDeliveriesResult:
    """The number of due deliveries, and how often each outcome came.

    `paused`: the switch holds every delivery. `quota_reached`: SES's daily quota is used up.
    """

    due: int
    paused: bool = False
    quota_reached: bool = False
    outcomes: dict[ReleaseOutcome, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditDigestResult:
    """The days (YYYY-MM-DD) whose digests were written."""

    days: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerificationResult:
    """The day that was verified, its number of events, and of faults in it or its digest."""

    day: str
    events: int
    faults: int
