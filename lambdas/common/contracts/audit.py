"""The entries of the audit trail."""

from dataclasses import dataclass
from enum import StrEnum

from hl7.warnings import MessageWarning
from lambdas.common.contracts.document import Written
from lambdas.common.contracts.encounters.encounter import DecisionReason
from lambdas.common.contracts.encounters.stay_flags import FlagKind
from lambdas.common.contracts.findings import FindingsOutcome, SetAsideReason
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.recipients.policy import LeftOut
from lambdas.common.contracts.recipients.preferences import CostMode
from lambdas.common.contracts.recipients.recipient import Considered, RecipientReason


class AuditStep(StrEnum):
    """The writer of an entry: a state of the workflow, a function, or an operator's command."""

    PARSE_MESSAGE = "ParseMessage"
    TRACK_ENCOUNTER = "TrackEncounter"
    LOOKUP_IDENTITIES = "LookupIdentities"
    EXTRACT_ENTITIES = "ExtractEntities"
    DELIVER_NOTIFICATION = "DeliverNotification"
    DELIVER_ALL = "DeliverAll"
    RELEASE_DELIVERIES = "ReleaseDeliveries"
    RECORD_FEEDBACK = "RecordFeedback"
    COMPLETE_EVENT = "CompleteEvent"
    RECORD_FAILURE = "RecordFailure"
    OPERATOR = "Operator"
    REGISTRY = "Registry"
    REPLAY = "Replay"
    REDRIVE = "Redrive"
    DISCARD = "Discard"
    LOOK = "Look"


class AuditAction(StrEnum):
    """The fact that an entry records. WITHHELD is the word of earlier versions for SUPPRESSED.

    TOLD_TOO: the mail to another recipient told this one too. AUDIT_LOG_USED: somebody read the audit of a
    patient, of a provider or of a sender (DICOM PS3.16 CID 400, 110101 "Audit Log Used").
    """

    RECEIVED = "RECEIVED"
    CONTROL_ID_REUSED = "CONTROL_ID_REUSED"
    DUPLICATE = "DUPLICATE"
    PARSED = "PARSED"
    NOT_NOTIFIABLE = "NOT_NOTIFIABLE"
    DECIDED = "DECIDED"
    QUERIED = "QUERIED"
    RESOLVED = "RESOLVED"
    NO_RECIPIENT = "NO_RECIPIENT"
    UNKNOWN_PATIENT = "UNKNOWN_PATIENT"
    IDENTITY_CHANGED = "IDENTITY_CHANGED"
    STAY_CLOSED = "STAY_CLOSED"
    EXTRACTED = "EXTRACTED"
    SENT = "SENT"
    ALREADY_SENT = "ALREADY_SENT"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"
    HELD = "HELD"
    TOLD_TOO = "TOLD_TOO"
    SUPPRESSED = "SUPPRESSED"
    WITHHELD = "WITHHELD"
    DELIVERED = "DELIVERED"
    DELAYED = "DELAYED"
    BOUNCED = "BOUNCED"
    COMPLAINED = "COMPLAINED"
    REJECTED = "REJECTED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    RESENT = "RESENT"
    PAUSED = "PAUSED"
    CONTINUED = "CONTINUED"
    ADDRESS_REOPENED = "ADDRESS_REOPENED"
    REPLAYED = "REPLAYED"
    REDRIVEN = "REDRIVEN"
    DISCARDED = "DISCARDED"
    REGISTRY_IMPORTED = "REGISTRY_IMPORTED"
    ROSTER_IMPORTED = "ROSTER_IMPORTED"
    ROSTER_ENDED = "ROSTER_ENDED"
    SMOKE_REGISTERED = "SMOKE_REGISTERED"
    LOOKED = "LOOKED"
    PATIENT_DATA_READ = "PATIENT_DATA_READ"
    AUDIT_LOG_USED = "AUDIT_LOG_USED"


class AuditOutcome(StrEnum):
    """The outcome of the recorded act. `withheld` is the word of earlier versions for `suppressed`."""

    OK = "ok"
    DUPLICATE = "duplicate"
    NOT_NOTIFIABLE = "not_notifiable"
    NO_RECIPIENT = "no_recipient"
    UNKNOWN_PATIENT = "unknown_patient"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    HELD = "held"
    SUPPRESSED = "suppressed"
    WITHHELD = "withheld"
    COMPLETED = "completed"
    FAILED = "failed"


class LookedAt(StrEnum):
    """The kind of a thing that a person looked at.

    Of the last three the person saw patient data: a received message, a mail, a rejected message.
    """

    DEAD_LETTER = "dead_letter"
    STAY = "stay"
    STAYS = "stays"
    REGISTRY = "registry"
    REJECTED_MESSAGES = "rejected_messages"
    AUDIT_OF_PATIENT = "audit_of_patient"
    AUDIT_OF_PROVIDER = "audit_of_provider"
    AUDIT_OF_SENDER = "audit_of_sender"
    MESSAGE = "message"
    MAIL = "mail"
    REJECTED_MESSAGE = "rejected_message"


@dataclass(frozen=True, slots=True)
class ToldRecipient:
    """A recipient whom LookupIdentities chose, as the audit records it.

    `told_with` is the recipient whose mail tells them too, "" for one with a mail of their own.
    `policy_file`, `policy_rule` and `policy_version` name the rule that decided, `consent_id` the consent
    on which it rests, `left_out` the parts that it leaves out. `other_patient`: they are told of the
    patient to whom the stay belonged before, and not of the entry's.
    """

    recipient_ref: str
    reasons: tuple[RecipientReason, ...] = ()
    detail: str = ""
    analysis: str = ""
    told_with: str = ""
    policy_file: str = ""
    policy_rule: str = ""
    policy_version: str = ""
    consent_id: str = ""
    left_out: tuple[LeftOut, ...] = ()
    other_patient: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry of an event's audit chain; members that an entry does not need are absent.

    `sk` is the sequence number in eight digits, or `workflow#…` of the workflow's own entries, which are
    outside the chain. `outcome_time` is the sort key of the index `by_day`: the outcome, `warned` for an
    entry with warnings, and the time. Moments are ISO 8601, UTC. `hash` is an HMAC-SHA256 with the key
    `key_id`, over `prev_hash` and the entry (docs/adr/0004-audit-chain-per-event.md). `asked`,
    `identifiers` and `others` are keyed references. `event_time` is the time of the fact by the message
    (EVN-6, EVN-2 …), absent where none is plausible. In a delivery's entry `event_kind` is the kind of this
    recipient's notice.
    """

    step: AuditStep
    actor: str
    action: AuditAction
    outcome: AuditOutcome
    started_at: str
    event_id: str | None = None
    sk: str | None = None
    seq: int | None = None
    time: str | None = None
    day: str | None = None
    outcome_time: str | None = None
    prev_hash: str | None = None
    hash: str | None = None
    key_id: str | None = None
    duration_ms: int | None = None
    attempt: int | None = None
    execution_arn: str | None = None
    sender: str | None = None
    error_name: str | None = None
    error: str | None = None
    failed_step: AuditStep | None = None
    documents: tuple[Written, ...] | None = None
    counts: dict[str, int] | None = None
    # Of the message
    message_control_id: str | None = None
    received_at: str | None = None
    receiver: str | None = None
    connection: str | None = None
    trigger_event: str | None = None
    event_kind: EventKind | None = None
    patient_class: str | None = None
    encounter_ref: str | None = None
    event_time: str | None = None
    # Of the encounter
    decision_reason: DecisionReason | None = None
    about: tuple[str, ...] | None = None
    # Of the look-up
    patient_ref: str | None = None
    recipients: tuple[ToldRecipient, ...] | None = None
    considered: tuple[Considered, ...] | None = None
    warnings: tuple[MessageWarning, ...] | None = None
    merged_from: tuple[str, ...] | None = None
    flags: tuple[FlagKind, ...] | None = None
    backend: str | None = None
    asked: tuple[str, ...] | None = None
    answer: str | None = None
    from_cache: bool | None = None
    identifiers: tuple[str, ...] | None = None
    others: tuple[str, ...] | None = None
    # Of the notes
    result: FindingsOutcome | None = None
    cost_mode: CostMode | None = None
    units: dict[str, int] | None = None
    set_aside: dict[SetAsideReason, int] | None = None
    # Of a delivery
    recipient_ref: str | None = None
    reasons: tuple[RecipientReason, ...] | None = None
    channel: str | None = None
    delivery_id: str | None = None
    summary_id: str | None = None
    ses_message_id: str | None = None
    ses_event: str | None = None
    detail: str | None = None
    reduced: str | None = None
    suppressed_because: str | None = None
    hold_reason: str | None = None
    release_at: str | None = None
    told_with: str | None = None
    # Of a policy's decision about a recipient
    policy_file: str | None = None
    policy_rule: str | None = None
    policy_version: str | None = None
    consent_id: str | None = None
    left_out: tuple[LeftOut, ...] | None = None
    # Of an operator's act
    dead_letter_id: str | None = None
    act_reason: str | None = None
    subscriber_ref: str | None = None
    since: str | None = None
    until: str | None = None
    # Of a look: the thing, its id or key, and the reason that the person gave
    looked_at: LookedAt | None = None
    looked_at_id: str | None = None
    look_reason: str | None = None
