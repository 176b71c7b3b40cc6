"""The decision about what a recipient may be told of a stay, and the rule on which it rests."""

from dataclasses import dataclass
from enum import StrEnum

from lambdas.common.contracts.recipients.consent import Sensitivity


class PolicyOutcome(StrEnum):
    """Whether a recipient is told everything that their preferences allow, less than that, or nothing."""

    TELL = "tell"
    TELL_REDUCED = "tell_reduced"
    SUPPRESS = "suppress"


class LeftOut(StrEnum):
    """A part that a reduced notification leaves out.

    reason: of the visit (PV2-3). diagnosis: DG1. unit: unit, room, bed and further places (PV1-3, PV1-6),
    and the clinic's name (PV2-23). findings: those read by machine in the notes. destination: disposition
    and place of a discharge (PV1-36, PV1-37). minimal: everything but initials and institution.
    """

    REASON = "reason"
    DIAGNOSIS = "diagnosis"
    UNIT = "unit"
    FINDINGS = "findings"
    DESTINATION = "destination"
    MINIMAL = "minimal"


class PolicyNotice(StrEnum):
    """A statement that a notification must carry.

    part2_redisclosure: 42 CFR 2.32(a)(2), with the consent's scope (2.32(b)).
    """

    PART2_REDISCLOSURE = "part2_redisclosure"


class SuppressionReason(StrEnum):
    """The reason for which a policy suppresses a notification (docs/privacy.md#reasons).

    OPTED_OUT: the patient forbids it. PART2_NO_CONSENT: 42 CFR Part 2, without the patient's consent.
    VISIT_PROTECTED: a flag protects the stay. PROTECTED_MINOR: a minor's confidential service.
    SENSITIVE_NO_CONSENT: a sensitive category without consent. NOT_PERMITTED: the policy does not provide
    for such a notice. NOTHING_LEFT: all that an update would tell is left out.
    """

    OPTED_OUT = "OPTED_OUT"
    PART2_NO_CONSENT = "PART2_NO_CONSENT"
    VISIT_PROTECTED = "VISIT_PROTECTED"
    PROTECTED_MINOR = "PROTECTED_MINOR"
    SENSITIVE_NO_CONSENT = "SENSITIVE_NO_CONSENT"
    NOT_PERMITTED = "NOT_PERMITTED"
    NOTHING_LEFT = "NOTHING_LEFT"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReference:
    """A rule by its policy file (without `.toml`), its id and the file's version.

    The file `consents` is the registry's own: a patient's denial. `otherwise` is a file's decision where
    none of its rules applies. All "" in documents of earlier versions.
    """

    file: str = ""
    rule: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDecision:
    """The decision about one recipient, with the rule that decided and the consent on which it rests ("" for none).

    `rule` is the strictest that applied, `further` are the others that added to `left_out`, or that a
    consent lifted. `hidden_findings` are the categories whose findings in notes are not told: one such
    finding leaves out all of the event's. `reason` is None unless the outcome is `suppress`.
    """

    outcome: PolicyOutcome = PolicyOutcome.TELL
    rule: RuleReference = RuleReference()
    reason: SuppressionReason | None = None
    left_out: tuple[LeftOut, ...] = ()
    hidden_findings: tuple[Sensitivity, ...] = ()
    notices: tuple[PolicyNotice, ...] = ()
    consent_id: str = ""
    further: tuple[RuleReference, ...] = ()
