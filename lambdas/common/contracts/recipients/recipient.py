"""The providers to be notified of an event, and those who were considered and not chosen."""

from dataclasses import dataclass, fields, replace
from enum import StrEnum

from lambdas.common.contracts.document import private
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.recipients.policy import PolicyDecision
from lambdas.common.contracts.recipients.preferences import CostMode, DetailLevel


class RelationshipType(StrEnum):
    """The relationship of a provider to a patient in the registry.

    42 CFR 482.24(d)(5): the established primary care practitioner or group, post-acute providers, whom the
    patient named; and who asked to be told.
    """

    PRIMARY_CARE = "primary_care"
    CARE_TEAM = "care_team"
    POST_ACUTE = "post_acute"
    PATIENT_IDENTIFIED = "patient_identified"
    SUBSCRIBER = "subscriber"


class RecipientReason(StrEnum):
    """The reason for which a recipient is told, in the order of their display.

    A relationship of the registry (`RelationshipType`), a role in which the message names them
    (`PractitionerRole`), the surrogate of such a provider, or the fallback of one whose address failed.
    """

    PRIMARY_CARE = "primary_care"
    CARE_TEAM = "care_team"
    POST_ACUTE = "post_acute"
    PATIENT_IDENTIFIED = "patient_identified"
    SUBSCRIBER = "subscriber"
    ATTENDING = "attending"
    ADMITTING = "admitting"
    REFERRING = "referring"
    CONSULTING = "consulting"
    SURROGATE = "surrogate"
    FALLBACK = "fallback"


class RefusalReason(StrEnum):
    """The reason for which a considered provider is not told (docs/identity.md#who-is-told).

    RECIPIENT_OFF: the relationship has ended, the provider is no longer active, or wants to be told
    nothing. RECIPIENT_FILTER: the recipient asked not to be told of such events. ROSTER_EXPIRED: nothing
    but an expired roster related the provider to the patient. AWAY: the surrogate is told instead.
    NO_ENDPOINT: the registry has no address for the provider, or no such provider. ENDPOINT_BAD: the
    registry's entry is not an address. NO_RECIPIENT: the message names a provider of the registry who is
    not related to the patient. HELD_FOR_UPDATE: the first notice still waits and will show the update.
    The others are those of a policy (`SuppressionReason`).
    """

    RECIPIENT_OFF = "RECIPIENT_OFF"
    RECIPIENT_FILTER = "RECIPIENT_FILTER"
    ROSTER_EXPIRED = "ROSTER_EXPIRED"
    AWAY = "AWAY"
    NO_ENDPOINT = "NO_ENDPOINT"
    ENDPOINT_BAD = "ENDPOINT_BAD"
    NO_RECIPIENT = "NO_RECIPIENT"
    HELD_FOR_UPDATE = "HELD_FOR_UPDATE"
    OPTED_OUT = "OPTED_OUT"
    PART2_NO_CONSENT = "PART2_NO_CONSENT"
    VISIT_PROTECTED = "VISIT_PROTECTED"
    PROTECTED_MINOR = "PROTECTED_MINOR"
    SENSITIVE_NO_CONSENT = "SENSITIVE_NO_CONSENT"
    NOT_PERMITTED = "NOT_PERMITTED"
    NOTHING_LEFT = "NOTHING_LEFT"


@dataclass(frozen=True, slots=True)
class FirstNotice:
    """The notification that a later one cancels, corrects or updates: its event, delivery, time and kind.

    `told_at` is the time of sending. `patient_ref` names the patient whom the notification was about.
    Documents of earlier versions have no kind (`NONE`) and no patient ("").
    """

    event_id: str
    delivery_id: str
    told_at: str
    event_kind: EventKind = EventKind.NONE
    patient_ref: str = ""


@dataclass(frozen=True, slots=True)
class Addressee:
    """A provider who is told in the mail of another recipient with the same address, and the reasons.

    `stands_for`, `by_event` and `facility` as `Recipient`.
    """

    recipient_ref: str
    reasons: tuple[RecipientReason, ...] = ()
    provider_id: str = private()
    name: Name = private(Name())
    stands_for: tuple[str, ...] = private(())
    by_event: bool = False
    facility: bool = False


OF_ADDRESSEE = tuple(member.name for member in fields(Addressee))
"""The members that a recipient has for themselves, as each addressee of their mail."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A provider to be notified, with the registry's address and the reasons of the choice.

    Preferences: `certificate` (PEM, its issuers after it) encrypts a mail of detail `smime`. `analysis` is
    the amount of findings from the notes. `language` is `en` or `fr-CA`. `bundle` asks for the FHIR message
    beside the text. `digest_at` (HH:MM) asks for one summary a day, `quiet` (HH:MM-HH:MM) for no mail in
    these hours, both in `time_zone`.

    `fallback_ref` is the recipient to notify when this address fails (`Identities.fallbacks`). `cancels` is
    the earlier notice that this one cancels, corrects or updates. `event_kind` is the kind of this
    recipient's notice, `NONE` for the event's own. The notice is not sent before `settle_until` (ISO 8601,
    UTC; "" for none). All notices of the stay about this patient share `stay_ref` (32 hex digits).
    `roster_until` is the last day of the roster, if the roster alone relates them to the patient and ends
    soon; else "". `also` are the others who share this mail. `other_patient`: the event moves the stay away
    from the patient whom their notices were about. `second`: the notice about that other patient, for a
    recipient who gets the correction too. `policy` is the decision about what they may be told; its rule is
    empty in documents of earlier versions. `facility`: the registry files them as a facility. `stands_for`
    are the ids of the absent providers in whose place alone they are told. `by_event`: the patient goes to
    this facility, or was there lately, so that no relationship of the registry is needed.
    """

    recipient_ref: str
    reasons: tuple[RecipientReason, ...]
    channel: str = "email"
    provider_id: str = private()
    name: Name = private(Name())
    address: str = private()
    detail: DetailLevel = DetailLevel.FULL
    analysis: CostMode = CostMode.FULL
    certificate: str = private()
    language: str = "en"
    bundle: bool = False
    digest_at: str = ""
    quiet: str = ""
    time_zone: str = ""
    roster_until: str = ""
    fallback_ref: str = ""
    cancels: FirstNotice | None = None
    event_kind: EventKind = EventKind.NONE
    settle_until: str = ""
    stay_ref: str = ""
    also: tuple[Addressee, ...] = ()
    other_patient: bool = False
    second: bool = False
    policy: PolicyDecision = PolicyDecision()
    facility: bool = False
    stands_for: tuple[str, ...] = private(())
    by_event: bool = False

    @property
    def addressees(self) -> tuple[Addressee, ...]:
        """All providers whom this mail tells: the recipient first."""
        own = Addressee(**{name: getattr(self, name) for name in OF_ADDRESSEE})
        return (own, *self.also)

    def mail_to(self, first: Addressee, *others: Addressee) -> "Recipient":
        """The mail to these of its addressees alone, as a mail of the first one."""
        own = {name: getattr(first, name) for name in OF_ADDRESSEE}
        return replace(self, **own, also=others)


@dataclass(frozen=True, slots=True)
class Considered:
    """A provider who was considered and not chosen, with the reason (docs/identity.md#who-is-told).

    `policy_file`, `policy_rule` and `policy_version` name the rule that suppressed the notification,
    `consent_id` the patient's denial; all "" for another reason.
    """

    recipient_ref: str
    relationship: RecipientReason
    reason: RefusalReason
    policy_file: str = ""
    policy_rule: str = ""
    policy_version: str = ""
    consent_id: str = ""
