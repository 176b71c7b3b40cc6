"""The types of the items in the ledger's table, and their closed sets of words."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lambdas.common.contracts.document import Written
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.workflow.delivery_states import DeliveryState, HoldReason
from lambdas.common.contracts.workflow.tasks import DeliverNotificationInput
from lambdas.delivery.ledger.decision import MailDecision

SETTLED = frozenset(
    {
        DeliveryState.SENT,
        DeliveryState.REFUSED,
        DeliveryState.UNKNOWN,
        DeliveryState.SUPPRESSED,
    }
)
"""States after which a run has nothing left to do."""

TOGETHER = frozenset({HoldReason.DIGEST, HoldReason.QUIET})
"""Deliveries held for these reasons are released in one mail to each recipient."""


class AddressProblemState(StrEnum):
    """A problem of an address that an operator has to correct in the provider directory."""

    ENDPOINT_BAD = "endpoint_bad"
    CERTIFICATE_BAD = "certificate_bad"


class SwitchState(StrEnum):
    """`paused` holds every delivery of the environment."""

    PAUSED = "paused"
    ON = "on"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryItem:
    """One event for one recipient over one channel, or one summary of several; ids, codes and times.

    The index `by_due` holds only some of the attributes. Moments are ISO 8601, UTC, "" where there is none.
    `lease_until` is in milliseconds since the epoch. `task` is the input with which DeliverNotification
    makes the delivery again, `members` the deliveries that a summary tells. `updates` are later events
    whose details the letter has. `also` are the references of the other recipients whom the same mail
    tells. `other_patient`: it corrects what was told of another patient than the event's, so that no later
    event of the stay is for its recipient. `decision` is that of the newest try that was decided.
    """

    delivery_id: str
    state: DeliveryState
    event_id: str = ""
    recipient_ref: str = ""
    also: tuple[str, ...] = ()
    other_patient: bool = False
    channel: str = ""
    patient_ref: str = ""
    encounter_ref: str = ""
    event_kind: EventKind = EventKind.NONE
    identities_version: str = ""
    endpoint_ref: str = ""
    fallback_ref: str = ""
    instead_of: str = ""
    task: DeliverNotificationInput | None = None
    members: tuple[str, ...] = ()
    updates: tuple[str, ...] = ()
    attempt_id: str = ""
    lease_until: int = 0
    released: bool = False
    # A reason that another version wrote is read as it is.
    hold_reason: str = ""
    release_at: str = ""
    due_shard: str = ""
    due_at: str = ""
    digest_id: str = ""
    resent: int = 0
    document: Written | None = None
    decision: MailDecision | None = None
    ses_message_id: str = ""
    reason: str = ""
    claimed_at: str = ""
    sent_at: str = ""
    updated_at: str = ""
    feedback: frozenset[str] = frozenset()

    @property
    def audit_members(self) -> dict[str, Any]:
        """The members of an audit entry that say which delivery it is about, to whom and of what."""
        return {
            "recipient_ref": self.recipient_ref,
            "channel": self.channel,
            "delivery_id": self.delivery_id,
            "patient_ref": self.patient_ref,
            "encounter_ref": self.encounter_ref,
            "event_kind": self.event_kind,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressProblem:
    """A problem of an address (`endpoint_bad`) or of its certificate (`certificate_bad`)."""

    delivery_id: str
    state: AddressProblemState
    recipient_ref: str = ""
    reason: str = ""
    updated_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """The switch of the environment's deliveries, and who set it when; `on` where nobody ever did."""

    state: SwitchState = SwitchState.ON
    by: str = ""
    updated_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCounter:
    """The number of mails that were sent in a second; seconds since the epoch."""

    second: int = -1
    used: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAccount:
    """The limits of the SES account.

    `retry_at` (ISO 8601, UTC) is when a mail may be tried again after the daily quota was reached.
    It is "" while the quota is free. `maximum_rate` is in mails a second, 0 while it is not known.
    """

    retry_at: str = ""
    maximum_rate: int = 0

    @property
    def quota_reached(self) -> bool:
        """Whether new mails have to wait behind those that are held."""
        return bool(self.retry_at)

    def rate(self, setting: int) -> int:
        """The mails that may be sent in a second: the setting, or the account's maximum if lower."""
        return min(setting, self.maximum_rate) if setting and self.maximum_rate else setting


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterRecord:
    """The deliveries that tell of an encounter.

    The item also holds three attributes for each kind of cancellation: `<kind>_by` (its event id),
    `<kind>_received` and `<kind>_recorded`. Of an event it holds `withdrawn_<event id>`, the event that
    withdrew it, and `updates_<event id>`, those that updated it as `<received at>|<event id>`. Of a
    recipient it holds `thread_<stay>_<recipient>`, the mails as `<sent at>|<SES's id>`.
    """

    told: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairPosition:
    """The start of the next repair of the index `by_due`: a state, and a key of the index `by_state`."""

    state: DeliveryState = DeliveryState.HELD
    start: dict[str, Any] = field(default_factory=dict)
