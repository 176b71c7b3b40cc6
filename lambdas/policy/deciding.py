"""Decides what one recipient may be told of a stay. Pure.

The order: a patient's denial; then the rules of all policy files, of which the strictest decides. A file of
which no rule applies decides by its `otherwise`. A consent lifts only a rule that names the consent's
category.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from lambdas.common.contracts.encounters.protection import StayMarks
from lambdas.common.contracts.message.event_kind import CANCELS, EventKind
from lambdas.common.contracts.recipients.consent import Consent, Direction, Sensitivity
from lambdas.common.contracts.recipients.policy import (
    LeftOut,
    PolicyDecision,
    PolicyNotice,
    PolicyOutcome,
    RuleReference,
    SuppressionReason,
)
from lambdas.common.contracts.recipients.recipient import RecipientReason
from lambdas.policy.rules import Policy, RecipientKind, Rule, When

DENIAL = RuleReference(file="consents", rule="denied", version="1")
"""The rule of every environment: a patient's denial is obeyed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPatient:
    """The patient: birth date (YYYY-MM-DD, "" where unknown) and the consents that the registry holds."""

    birth_date: str = field(repr=False, default="")
    consents: tuple[Consent, ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRecipient:
    """The recipient: id, relationship, kind, and those in whose place they are told.

    `stands_for` are the ids of providers in whose place alone the recipient is told, as surrogate or
    fallback. A denial that names one of them counts for the recipient too.
    """

    provider_id: str = field(repr=False)
    reasons: tuple[RecipientReason, ...] = ()
    kind: RecipientKind = RecipientKind.PERSON
    stands_for: tuple[str, ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyStay:
    """The stay and its notice: marks, jurisdiction of the sender (ISO 3166-2, "" where not set), kind of notice."""

    marks: StayMarks = StayMarks()
    jurisdiction: str = ""
    event_kind: EventKind = EventKind.NONE


@dataclass(frozen=True, slots=True)
class _Met:
    """A rule that applies, or that a consent lifts."""

    policy: Policy
    rule: Rule
    lifted_by: str = ""

    @property
    def reference(self) -> RuleReference:
        return self.policy.reference(self.rule.id)

    @property
    def strictness(self) -> tuple[bool, bool, int]:
        left_out = self.rule.leave_out
        suppresses = self.rule.then is PolicyOutcome.SUPPRESS
        return suppresses, LeftOut.MINIMAL in left_out, len(left_out)


def decide(
    patient: PolicyPatient,
    stay: PolicyStay,
    recipient: PolicyRecipient,
    policies: Sequence[Policy],
    day: str,
) -> PolicyDecision:
    """The decision about one recipient on a day (YYYY-MM-DD, of the sender's time zone).

    `policies` are those of the environment, at least one. A notice that withdraws an earlier one goes to
    its recipients in any case: `suppress` becomes `minimal`.
    """
    if denial := _denial(patient, stay, recipient, day):
        decided = PolicyDecision(
            outcome=PolicyOutcome.SUPPRESS,
            rule=DENIAL,
            reason=SuppressionReason.OPTED_OUT,
            consent_id=denial.consent_id,
        )
    else:
        decided = _by_rules(patient, stay, recipient, policies, day)
    if decided.outcome is PolicyOutcome.SUPPRESS and stay.event_kind in CANCELS:
        decided = replace(
            decided,
            outcome=PolicyOutcome.TELL_REDUCED,
            reason=None,
            left_out=(LeftOut.MINIMAL,),
            notices=(),
        )
    return decided


def joined(
    decisions: Iterable[PolicyDecision], earlier: Iterable[PolicyDecision] = ()
) -> PolicyDecision:
    """The decision about one mail to several addressees: the strictest of theirs, at least one.

    It leaves out all that any of them leaves out, or that an `earlier` decision about the mail left out.
    """
    strictest, *others = sorted(decisions, key=_strictness, reverse=True)
    every = (strictest, *others, *earlier)
    left_out = {part for one in every for part in one.left_out}
    hidden = {category for one in every for category in one.hidden_findings}
    with_consent = [one.consent_id for one in every if one.notices and one.consent_id]
    return replace(
        strictest,
        outcome=PolicyOutcome.TELL_REDUCED if left_out else strictest.outcome,
        left_out=tuple(part for part in LeftOut if part in left_out),
        hidden_findings=tuple(one for one in Sensitivity if one in hidden),
        notices=tuple(dict.fromkeys(notice for one in every for notice in one.notices)),
        consent_id=with_consent[0] if with_consent else strictest.consent_id,
    )


def _strictness(decision: PolicyDecision) -> tuple[bool, int]:
    return LeftOut.MINIMAL in decision.left_out, len(decision.left_out)


def age_on(birth_date: str, day: str) -> int | None:
    """The age in completed years on a day; None where the birth date (YYYY-MM-DD) is none."""
    try:
        born, today = date.fromisoformat(birth_date), date.fromisoformat(day)
    except ValueError:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _denial(
    patient: PolicyPatient, stay: PolicyStay, recipient: PolicyRecipient, day: str
) -> Consent | None:
    """The first denial that forbids any notification of this stay to the recipient."""
    categories = {Sensitivity.ALL, *(mark.category for mark in stay.marks.sensitive)}
    if stay.marks.flags:
        categories.add(Sensitivity.PROTECTED_VISIT)
    denials = _denials(patient, recipient, day)
    return next((one for one in denials if one.sensitivity in categories), None)


def _denials(patient: PolicyPatient, recipient: PolicyRecipient, day: str) -> list[Consent]:
    named = {"", recipient.provider_id, *recipient.stands_for}
    return [
        one
        for one in patient.consents
        if one.direction is Direction.DENY and one.provider_id in named and one.holds(day)
    ]


def _permission(
    patient: PolicyPatient, recipient: PolicyRecipient, categories: Iterable[Sensitivity], day: str
) -> Consent | None:
    """The permission of one of the categories for this recipient; one that names them comes first.

    A surrogate needs a permission that names them, or every provider.
    """
    wanted, named = set(categories), ("", recipient.provider_id)
    found = [
        one
        for one in patient.consents
        if one.direction is Direction.PERMIT
        and one.sensitivity in wanted
        and one.provider_id in named
        and one.holds(day)
    ]
    return next(iter(sorted(found, key=lambda one: not one.provider_id)), None)


def _by_rules(
    patient: PolicyPatient,
    stay: PolicyStay,
    recipient: PolicyRecipient,
    policies: Sequence[Policy],
    day: str,
) -> PolicyDecision:
    age = age_on(patient.birth_date, day)
    met = []
    for policy in policies:
        for rule in policy.rules:
            if _applies(rule.when, stay, recipient, age):
                consent = _permission(patient, recipient, rule.lifted_by, day)
                met.append(_Met(policy, rule, consent.consent_id if consent else ""))
    lifted = [one for one in met if one.lifted_by]
    applying = sorted(
        (one for one in met if not one.lifted_by), key=lambda one: one.strictness, reverse=True
    )
    closed = next((one for one in policies if _permits_nothing(one, met)), None)
    if closed and not (applying and applying[0].rule.then is PolicyOutcome.SUPPRESS):
        return PolicyDecision(
            outcome=PolicyOutcome.SUPPRESS,
            rule=closed.reference("otherwise"),
            reason=SuppressionReason.NOT_PERMITTED,
        )
    # A notice of 42 CFR 2.32 states the scope of its own consent, so that one comes first.
    consent_id = next(
        (one.lifted_by for one in sorted(lifted, key=lambda one: not one.rule.notices)), ""
    )
    hidden = _hidden(patient, recipient, policies, day)
    if applying:
        strictest, *others = applying
        suppressed = strictest.rule.then is PolicyOutcome.SUPPRESS
        left_out = {part for one in applying for part in one.rule.leave_out}
        return PolicyDecision(
            outcome=PolicyOutcome.SUPPRESS if suppressed else PolicyOutcome.TELL_REDUCED,
            rule=strictest.reference,
            reason=strictest.rule.reason,
            left_out=() if suppressed else tuple(part for part in LeftOut if part in left_out),
            hidden_findings=() if suppressed else hidden,
            notices=() if suppressed else _notices(lifted),
            consent_id="" if suppressed else consent_id,
            further=tuple(one.reference for one in (*others, *lifted)),
        )
    rules = [one.reference for one in lifted]
    return PolicyDecision(
        rule=rules[0] if rules else policies[0].reference("otherwise"),
        hidden_findings=hidden,
        notices=_notices(lifted),
        consent_id=consent_id,
        further=tuple(rules[1:]),
    )


def _permits_nothing(policy: Policy, met: Iterable[_Met]) -> bool:
    """Whether a file suppresses by its `otherwise`: none of its rules applies, and no consent lifts one."""
    has_rule = any(one.policy is policy for one in met)
    return policy.otherwise is PolicyOutcome.SUPPRESS and not has_rule


def _notices(lifted: Iterable[_Met]) -> tuple[PolicyNotice, ...]:
    return tuple(dict.fromkeys(notice for one in lifted for notice in one.rule.notices))


def _hidden(
    patient: PolicyPatient, recipient: PolicyRecipient, policies: Sequence[Policy], day: str
) -> tuple[Sensitivity, ...]:
    """The categories of findings in notes that this recipient is not told."""
    by_policy = {one for policy in policies for one in policy.hidden_findings}
    denied = {one.sensitivity for one in _denials(patient, recipient, day)}
    return tuple(
        one
        for one in Sensitivity
        if one in denied or (one in by_policy and not _permission(patient, recipient, (one,), day))
    )


def _applies(when: When, stay: PolicyStay, recipient: PolicyRecipient, age: int | None) -> bool:
    """Whether all conditions of a rule hold. An unknown age, or jurisdiction, fits each condition about it."""
    marks = stay.marks
    place = stay.jurisdiction
    return (
        (not when.flags or bool(set(when.flags) & set(marks.flags)))
        and (not (when.sensitivities or when.bases) or _marked(when, marks))
        and (age is None or when.age_from is None or age >= when.age_from)
        and (age is None or when.age_below is None or age < when.age_below)
        and (not when.jurisdictions or not place or place in when.jurisdictions)
        and (not when.relationships or bool(set(when.relationships) & set(recipient.reasons)))
        and (not when.recipient_kinds or recipient.kind in when.recipient_kinds)
        and (not when.event_kinds or stay.event_kind in when.event_kinds)
    )


def _marked(when: When, marks: StayMarks) -> bool:
    return any(
        (not when.sensitivities or mark.category in when.sensitivities)
        and (not when.bases or mark.basis in when.bases)
        for mark in marks.sensitive
    )
