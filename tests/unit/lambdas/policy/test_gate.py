"""The gate over all recipients of an event: who is told, who is considered only, and with which rule."""

from dataclasses import replace

from lambdas.common.contracts.encounters.encounter import Audience, Change, Decision, Notice
from lambdas.common.contracts.encounters.protection import ProtectionFlag, StayMarks
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.recipients.consent import Consent, Direction, Sensitivity
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.contracts.recipients.policy import LeftOut, PolicyOutcome
from lambdas.common.contracts.recipients.recipient import (
    Addressee,
    Recipient,
    RecipientReason,
    RefusalReason,
)
from lambdas.policy.gate import Gate
from lambdas.policy.rules import Policy, RecipientKind, Rule, When

REASONS = (RecipientReason.PRIMARY_CARE,)
PCP = Recipient("ref-pcp", REASONS, provider_id="pcp")
ACO = Recipient("ref-aco", (RecipientReason.SUBSCRIBER,), provider_id="aco", facility=True)
VIP = Rule(
    id="vip",
    then=PolicyOutcome.SUPPRESS,
    when=When(flags=(ProtectionFlag.PV1_16,)),
    reason=None,
    lifted_by=(Sensitivity.PROTECTED_VISIT,),
)
CONFIDENTIAL = Rule(
    id="confidential",
    then=PolicyOutcome.TELL_REDUCED,
    when=When(flags=(ProtectionFlag.DG1_18,)),
    leave_out=(LeftOut.DIAGNOSIS,),
)
POLICY = Policy(
    name="example", version="3", otherwise=PolicyOutcome.TELL, rules=(VIP, CONFIDENTIAL)
)
GATE = Gate((POLICY,), "", "2026-11-26")


def event(
    *flags: ProtectionFlag, kind: EventKind = EventKind.ADMISSION, changes: tuple[Change, ...] = ()
) -> PatientEvent:
    decision = Decision(
        event_id="e1",
        trigger_event="A01",
        decided_at="",
        notices=(Notice(kind=kind, audience=Audience.TEAM, changes=changes),),
        marks=StayMarks(flags=flags),
    )
    bare = PatientEvent(
        event_id="e1", trigger_event="A01", event_kind=kind, notifiable=True, hl7_version="2.5.1"
    )
    return replace(bare, decision=decision)


def consent(direction: Direction, sensitivity: Sensitivity, provider_id: str) -> Consent:
    return Consent(
        consent_id="C1", direction=direction, sensitivity=sensitivity, provider_id=provider_id
    )


def passed(
    of: PatientEvent, *recipients: Recipient, consents: tuple[Consent, ...] = ()
) -> Identities:
    identities = Identities("k1.patient", recipients=recipients, consents=consents)
    return GATE.passed(identities, of)


def told(identities: Identities) -> list[str]:
    return [one.recipient_ref for one in identities.recipients]


def test_an_ordinary_event_passes_with_the_rule_on_each_recipient() -> None:
    found = passed(event(), PCP, ACO)
    assert told(found) == ["ref-pcp", "ref-aco"]
    assert {one.policy.rule.rule for one in found.recipients} == {"otherwise"}
    assert found.considered == ()


def test_suppressed_recipients_are_considered_with_reason_rule_and_consent() -> None:
    denial = consent(Direction.DENY, Sensitivity.ALL, "aco")
    found = passed(event(), PCP, ACO, consents=(denial,))
    assert told(found) == ["ref-pcp"]
    (considered,) = found.considered
    assert (considered.recipient_ref, considered.reason) == ("ref-aco", RefusalReason.OPTED_OUT)
    assert (considered.policy_file, considered.policy_rule) == ("consents", "denied")
    assert (considered.policy_version, considered.consent_id) == ("1", "C1")


def test_a_flag_of_an_earlier_message_of_the_stay_counts() -> None:
    found = passed(event(ProtectionFlag.PV1_16), PCP, ACO)
    assert told(found) == []
    assert {one.policy_rule for one in found.considered} == {"vip"}


def test_a_release_lets_its_provider_pass_alone() -> None:
    release = consent(Direction.PERMIT, Sensitivity.PROTECTED_VISIT, "pcp")
    found = passed(event(ProtectionFlag.PV1_16), PCP, ACO, consents=(release,))
    assert told(found) == ["ref-pcp"]
    assert found.recipients[0].policy.consent_id == "C1"


def test_of_a_shared_mail_those_who_may_be_told_get_it() -> None:
    shared = replace(PCP, also=(Addressee("ref-locum", REASONS, "locum"),))
    denial = consent(Direction.DENY, Sensitivity.ALL, "pcp")
    found = passed(event(), shared, consents=(denial,))
    (mail,) = found.recipients
    assert (mail.recipient_ref, mail.provider_id, mail.also) == ("ref-locum", "locum", ())
    assert [one.recipient_ref for one in found.considered] == ["ref-pcp"]


def test_each_addressee_of_a_shared_mail_is_decided_as_the_person_or_facility_that_they_are() -> (
    None
):
    people_alone = replace(
        VIP, id="people", when=When(recipient_kinds=(RecipientKind.FACILITY,)), lifted_by=()
    )
    gate = replace(GATE, policies=(replace(POLICY, rules=(people_alone,)),))
    practice = replace(
        ACO, also=(Addressee("ref-pcp", REASONS, "pcp", stands_for=("absent",), by_event=True),)
    )
    found = gate.passed(Identities("k1.patient", recipients=(practice,)), event())
    (mail,) = found.recipients
    assert (mail.recipient_ref, mail.facility) == ("ref-pcp", False)
    assert (mail.stands_for, mail.by_event) == (("absent",), True)
    assert [one.recipient_ref for one in found.considered] == ["ref-aco"]


def test_a_fallback_who_may_not_be_told_is_none() -> None:
    denial = consent(Direction.DENY, Sensitivity.ALL, "aco")
    identities = Identities(
        "k1.patient",
        recipients=(replace(PCP, fallback_ref="ref-aco"),),
        fallbacks=(ACO,),
        consents=(denial,),
    )
    found = GATE.passed(identities, event())
    assert found.fallbacks == ()
    assert [one.fallback_ref for one in found.recipients] == [""]


def test_a_cancellation_of_a_stay_that_is_protected_now_is_minimal() -> None:
    recipient = replace(PCP, event_kind=EventKind.CANCEL_ADMISSION)
    found = passed(event(ProtectionFlag.PV1_16, kind=EventKind.CANCEL_ADMISSION), recipient)
    (mail,) = found.recipients
    assert mail.policy.left_out == (LeftOut.MINIMAL,)


def test_an_update_of_which_nothing_may_be_told_is_suppressed() -> None:
    recipient = replace(PCP, event_kind=EventKind.UPDATE)
    hidden = event(ProtectionFlag.DG1_18, kind=EventKind.UPDATE, changes=(Change.DIAGNOSIS,))
    assert [one.reason for one in passed(hidden, recipient).considered] == [
        RefusalReason.NOTHING_LEFT
    ]
    more = event(
        ProtectionFlag.DG1_18,
        kind=EventKind.UPDATE,
        changes=(Change.DIAGNOSIS, Change.ATTENDING),
    )
    assert told(passed(more, recipient)) == ["ref-pcp"]
