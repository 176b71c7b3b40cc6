"""The decision about one recipient: denials, permissions, and the strictest rule of several files."""

from dataclasses import replace

import pytest

from lambdas.common.contracts.encounters.protection import (
    Basis,
    ProtectionFlag,
    SensitiveMark,
    StayMarks,
)
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.recipients.consent import Consent, Direction, Sensitivity
from lambdas.common.contracts.recipients.policy import (
    LeftOut,
    PolicyDecision,
    PolicyNotice,
    PolicyOutcome,
    SuppressionReason,
)
from lambdas.common.contracts.recipients.recipient import RecipientReason
from lambdas.policy.deciding import (
    DENIAL,
    PolicyPatient,
    PolicyRecipient,
    PolicyStay,
    age_on,
    decide,
    joined,
)
from lambdas.policy.rules import Policy, RecipientKind, Rule, When

DAY = "2026-11-26"
PCP = PolicyRecipient(provider_id="pcp", reasons=(RecipientReason.PRIMARY_CARE,))
ACO = PolicyRecipient(
    provider_id="aco", reasons=(RecipientReason.SUBSCRIBER,), kind=RecipientKind.FACILITY
)
SUBSTANCE_UNIT = SensitiveMark(category=Sensitivity.SUBSTANCE_USE, basis=Basis.UNIT)
SUBSTANCE_CODE = SensitiveMark(category=Sensitivity.SUBSTANCE_USE, basis=Basis.DIAGNOSIS)
HIV = SensitiveMark(category=Sensitivity.HIV, basis=Basis.DIAGNOSIS)

PART2 = Rule(
    id="part2",
    then=PolicyOutcome.SUPPRESS,
    when=When(sensitivities=(Sensitivity.SUBSTANCE_USE,), bases=(Basis.UNIT, Basis.SERVICE)),
    reason=SuppressionReason.PART2_NO_CONSENT,
    lifted_by=(Sensitivity.SUBSTANCE_USE,),
    notices=(PolicyNotice.PART2_REDISCLOSURE,),
)
VIP = Rule(
    id="vip",
    then=PolicyOutcome.SUPPRESS,
    when=When(flags=(ProtectionFlag.PV1_16,)),
    reason=SuppressionReason.VISIT_PROTECTED,
    lifted_by=(Sensitivity.PROTECTED_VISIT,),
)
MINOR = Rule(
    id="minor",
    then=PolicyOutcome.TELL_REDUCED,
    when=When(age_from=12, age_below=18, jurisdictions=("US-CA",)),
    leave_out=(LeftOut.REASON, LeftOut.DIAGNOSIS),
)
POLICY = Policy(
    name="example",
    version="3",
    otherwise=PolicyOutcome.TELL,
    rules=(PART2, VIP, MINOR),
    hidden_findings=(Sensitivity.SUBSTANCE_USE,),
)
ADULT = PolicyPatient(birth_date="1976-05-09")


def stay(*flags: ProtectionFlag, sensitive: tuple[SensitiveMark, ...] = ()) -> PolicyStay:
    return PolicyStay(
        marks=StayMarks(flags=flags, sensitive=sensitive), event_kind=EventKind.ADMISSION
    )


def consent(direction: Direction, sensitivity: Sensitivity, provider_id: str = "") -> Consent:
    return Consent(
        consent_id=f"{direction}-{sensitivity}-{provider_id}",
        direction=direction,
        sensitivity=sensitivity,
        provider_id=provider_id,
    )


def decided(
    of: PolicyStay,
    *consents: Consent,
    recipient: PolicyRecipient = PCP,
    policies: tuple[Policy, ...] = (POLICY,),
    patient: PolicyPatient = ADULT,
) -> PolicyDecision:
    return decide(replace(patient, consents=consents), of, recipient, policies, DAY)


PART2_STAY = stay(sensitive=(SUBSTANCE_UNIT,))
VIP_STAY = stay(ProtectionFlag.PV1_16)


def test_an_ordinary_stay_is_told_and_names_the_file_whose_default_decided() -> None:
    decision = decided(stay())
    assert decision.outcome is PolicyOutcome.TELL
    assert (decision.rule.file, decision.rule.rule, decision.rule.version) == (
        "example",
        "otherwise",
        "3",
    )


def test_a_stay_in_a_part_2_unit_is_told_to_nobody_without_consent() -> None:
    decision = decided(PART2_STAY)
    assert (decision.outcome, decision.reason, decision.rule.rule) == (
        PolicyOutcome.SUPPRESS,
        SuppressionReason.PART2_NO_CONSENT,
        "part2",
    )


def test_a_rule_about_the_unit_does_not_apply_to_a_diagnosis_elsewhere() -> None:
    """42 CFR 2.11: a general hospital's emergency department is no Part 2 program."""
    assert decided(stay(sensitive=(SUBSTANCE_CODE,))).outcome is PolicyOutcome.TELL


def test_a_consent_lifts_part_2_for_its_provider_alone_and_brings_the_redisclosure_notice() -> None:
    permission = consent(Direction.PERMIT, Sensitivity.SUBSTANCE_USE, "pcp")
    told = decided(PART2_STAY, permission)
    assert told.outcome is PolicyOutcome.TELL
    assert told.notices == (PolicyNotice.PART2_REDISCLOSURE,)
    assert (told.rule.rule, told.consent_id) == ("part2", permission.consent_id)
    assert decided(PART2_STAY, permission, recipient=ACO).outcome is PolicyOutcome.SUPPRESS


def test_a_consent_of_another_category_lifts_nothing() -> None:
    for sensitivity in set(Sensitivity) - {Sensitivity.SUBSTANCE_USE}:
        permission = consent(Direction.PERMIT, sensitivity, "pcp")
        assert decided(PART2_STAY, permission).outcome is PolicyOutcome.SUPPRESS


def test_a_denial_beats_a_permission_for_the_named_provider() -> None:
    decision = decided(
        stay(),
        consent(Direction.PERMIT, Sensitivity.ALL, "pcp"),
        consent(Direction.DENY, Sensitivity.ALL),
    )
    assert (decision.outcome, decision.reason) == (
        PolicyOutcome.SUPPRESS,
        SuppressionReason.OPTED_OUT,
    )
    assert (decision.rule, decision.consent_id) == (DENIAL, "deny-all-")


def test_a_denial_names_one_provider_and_leaves_the_others() -> None:
    denial = consent(Direction.DENY, Sensitivity.ALL, "aco")
    assert decided(stay(), denial, recipient=ACO).outcome is PolicyOutcome.SUPPRESS
    assert decided(stay(), denial).outcome is PolicyOutcome.TELL


def test_a_denial_of_a_category_counts_for_stays_of_the_category_and_for_findings() -> None:
    denial = consent(Direction.DENY, Sensitivity.HIV)
    assert decided(stay(sensitive=(HIV,)), denial).reason is SuppressionReason.OPTED_OUT
    ordinary = decided(stay(), denial)
    assert ordinary.outcome is PolicyOutcome.TELL
    assert Sensitivity.HIV in ordinary.hidden_findings


def test_a_denial_for_protected_visits_counts_where_a_flag_protects_the_stay() -> None:
    denial = consent(Direction.DENY, Sensitivity.PROTECTED_VISIT)
    assert decided(VIP_STAY, denial).reason is SuppressionReason.OPTED_OUT
    assert decided(stay(), denial).outcome is PolicyOutcome.TELL


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "outcome"),
    [
        ("2026-11-26", "2026-11-26", PolicyOutcome.TELL),
        ("2026-11-27", "", PolicyOutcome.SUPPRESS),
        ("", "2026-11-25", PolicyOutcome.SUPPRESS),
    ],
)
def test_a_consent_counts_in_its_period_alone(
    valid_from: str, valid_until: str, outcome: PolicyOutcome
) -> None:
    permission = replace(
        consent(Direction.PERMIT, Sensitivity.PROTECTED_VISIT),
        valid_from=valid_from,
        valid_until=valid_until,
    )
    assert decided(VIP_STAY, permission).outcome is outcome


def test_a_surrogate_is_not_told_what_the_absent_provider_may_not_be_told() -> None:
    surrogate = PolicyRecipient(provider_id="locum", stands_for=("pcp",))
    denial = consent(Direction.DENY, Sensitivity.ALL, "pcp")
    assert decided(stay(), denial, recipient=surrogate).outcome is PolicyOutcome.SUPPRESS


def test_a_permission_for_the_absent_provider_is_none_for_the_surrogate() -> None:
    surrogate = PolicyRecipient(provider_id="locum", stands_for=("pcp",))
    permission = consent(Direction.PERMIT, Sensitivity.SUBSTANCE_USE, "pcp")
    decision = decided(PART2_STAY, permission, recipient=surrogate)
    assert decision.outcome is PolicyOutcome.SUPPRESS


def test_the_strictest_rule_of_all_files_decides_and_the_others_are_named() -> None:
    reduced = Policy(
        name="other",
        version="1",
        otherwise=PolicyOutcome.TELL,
        rules=(replace(VIP, then=PolicyOutcome.TELL_REDUCED, leave_out=(LeftOut.UNIT,)),),
    )
    decision = decided(VIP_STAY, policies=(reduced, POLICY))
    assert (decision.outcome, decision.rule.file) == (PolicyOutcome.SUPPRESS, "example")
    assert [one.file for one in decision.further] == ["other"]


def test_what_several_rules_leave_out_adds_up() -> None:
    other = replace(MINOR, id="unit", leave_out=(LeftOut.UNIT,))
    policy = replace(POLICY, rules=(MINOR, other))
    decision = decided(stay(), patient=PolicyPatient(birth_date="2011-06-01"), policies=(policy,))
    assert decision.outcome is PolicyOutcome.TELL_REDUCED
    assert decision.left_out == (LeftOut.REASON, LeftOut.DIAGNOSIS, LeftOut.UNIT)


@pytest.mark.parametrize(
    ("birth_date", "jurisdiction", "outcome"),
    [
        ("2011-06-01", "US-CA", PolicyOutcome.TELL_REDUCED),
        ("2008-11-26", "US-CA", PolicyOutcome.TELL),  # eighteen on the day
        ("2008-11-27", "US-CA", PolicyOutcome.TELL_REDUCED),
        ("2014-11-27", "US-CA", PolicyOutcome.TELL),  # eleven
        ("2011-06-01", "US-NY", PolicyOutcome.TELL),
        ("2011-06-01", "", PolicyOutcome.TELL_REDUCED),
        ("", "US-CA", PolicyOutcome.TELL_REDUCED),
    ],
)
def test_a_rule_by_age_and_place_also_counts_where_either_is_unknown(
    birth_date: str, jurisdiction: str, outcome: PolicyOutcome
) -> None:
    decision = decided(
        replace(stay(), jurisdiction=jurisdiction), patient=PolicyPatient(birth_date=birth_date)
    )
    assert decision.outcome is outcome


def test_a_file_that_permits_nothing_by_itself_needs_a_consent() -> None:
    closed = replace(POLICY, otherwise=PolicyOutcome.SUPPRESS)
    refused = decided(stay(), policies=(POLICY, closed))
    assert (refused.reason, refused.rule.rule) == (SuppressionReason.NOT_PERMITTED, "otherwise")
    permission = consent(Direction.PERMIT, Sensitivity.SUBSTANCE_USE, "pcp")
    assert decided(PART2_STAY, permission, policies=(closed,)).outcome is PolicyOutcome.TELL


def test_a_file_that_permits_nothing_also_counts_where_another_file_reduces() -> None:
    closed = Policy(name="closed", version="1", otherwise=PolicyOutcome.SUPPRESS)
    reducing = replace(VIP, then=PolicyOutcome.TELL_REDUCED, leave_out=(LeftOut.UNIT,))
    files = (replace(POLICY, rules=(reducing,)), closed)
    for of in (stay(), VIP_STAY):
        decision = decided(of, policies=files)
        assert (decision.reason, decision.rule.file) == (SuppressionReason.NOT_PERMITTED, "closed")


def test_a_withdrawal_reaches_those_told_and_says_nothing_protected() -> None:
    for of, given in ((VIP_STAY, ()), (stay(), (consent(Direction.DENY, Sensitivity.ALL),))):
        decision = decided(replace(of, event_kind=EventKind.CANCEL_ADMISSION), *given)
        assert decision.outcome is PolicyOutcome.TELL_REDUCED
        assert decision.left_out == (LeftOut.MINIMAL,)
        assert decision.rule.rule in ("vip", "denied")


def test_findings_of_a_category_are_hidden_until_a_consent_permits_them() -> None:
    assert decided(stay()).hidden_findings == (Sensitivity.SUBSTANCE_USE,)
    permission = consent(Direction.PERMIT, Sensitivity.SUBSTANCE_USE)
    assert decided(stay(), permission).hidden_findings == ()


def test_an_age_is_that_of_completed_years() -> None:
    assert age_on("2008-02-29", "2026-02-28") == 17
    assert age_on("2008-02-29", "2026-03-01") == 18
    assert age_on("2008", DAY) is None


def test_a_part_2_notice_states_the_consent_to_the_part_2_disclosure() -> None:
    """42 CFR 2.32(b): a copy of the consent, or its scope, comes with the disclosure."""
    permissions = [
        consent(Direction.PERMIT, one)
        for one in (Sensitivity.PROTECTED_VISIT, Sensitivity.SUBSTANCE_USE)
    ]
    policy = replace(POLICY, rules=(VIP, PART2))
    of = stay(ProtectionFlag.PV1_16, sensitive=(SUBSTANCE_UNIT,))
    decision = decided(of, *permissions, policies=(policy,))
    assert decision.notices == (PolicyNotice.PART2_REDISCLOSURE,)
    assert decision.consent_id == permissions[1].consent_id


def test_a_shared_mail_rests_on_the_strictest_decision_and_minimal_beats_any_list() -> None:
    reduced = [
        PolicyDecision(
            outcome=PolicyOutcome.TELL_REDUCED,
            rule=POLICY.reference(name),
            left_out=left_out,
        )
        for name, left_out in (
            ("two", (LeftOut.REASON, LeftOut.DIAGNOSIS)),
            ("minimal", (LeftOut.MINIMAL,)),
        )
    ]
    mail = joined(reduced)
    assert mail.rule.rule == "minimal"
    assert mail.left_out == (LeftOut.REASON, LeftOut.DIAGNOSIS, LeftOut.MINIMAL)


def test_a_mail_stays_reduced_where_its_first_decision_was() -> None:
    chosen = PolicyDecision(outcome=PolicyOutcome.TELL_REDUCED, left_out=(LeftOut.UNIT,))
    mail = joined([PolicyDecision(rule=POLICY.reference("otherwise"))], earlier=[chosen])
    assert (mail.outcome, mail.left_out) == (PolicyOutcome.TELL_REDUCED, (LeftOut.UNIT,))
    assert mail.rule.rule == "otherwise"


def test_the_notice_in_a_shared_mail_names_the_consent_on_which_it_rests() -> None:
    permission = consent(Direction.PERMIT, Sensitivity.SUBSTANCE_USE, "pcp")
    with_notice = decided(PART2_STAY, permission)
    reduced = PolicyDecision(outcome=PolicyOutcome.TELL_REDUCED, left_out=(LeftOut.UNIT,))
    mail = joined([reduced, with_notice])
    assert mail.notices == (PolicyNotice.PART2_REDISCLOSURE,)
    assert mail.consent_id == permission.consent_id
