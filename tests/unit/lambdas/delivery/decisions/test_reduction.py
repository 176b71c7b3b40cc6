"""A reduced notification, as its letter and its FHIR bundle show it."""

from dataclasses import replace

import pytest

from lambdas.common.contracts.findings import (
    ClinicalFindings,
    Finding,
    FindingsOutcome,
    SetAsideReason,
)
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.visit import CodedText, Location
from lambdas.common.contracts.recipients.consent import Sensitivity
from lambdas.common.contracts.recipients.policy import LeftOut, PolicyDecision, PolicyNotice
from lambdas.common.contracts.recipients.preferences import DetailLevel
from lambdas.common.senders import SenderProfile
from lambdas.delivery.decisions.detail import Detail, detail_under
from lambdas.delivery.decisions.reduction import reduced
from lambdas.delivery.letter.fhir_bundle import bundle_of
from lambdas.delivery.letter.letter import compose
from lambdas.delivery.letter.told import Told
from tests.functional.lambdas.deliver_notification.world import ADMISSION, RECIPIENT

EVENT = replace(
    ADMISSION,
    event_kind=EventKind.DISCHARGE,
    visit=replace(
        ADMISSION.visit,
        location=Location(facility="HOPE", unit="SUDU", unit_name="Addiction ward", room="R77"),
        prior_location=Location(unit="DETOX"),
        facility_name="Addiction Clinic",
        reason=CodedText(text="wants to stop heroin"),
        disposition=CodedText("65", "to the psychiatric hospital"),
        discharged_to="REHAB9",
    ),
    diagnoses=(CodedText("F11.20", "Opioid dependence", "I10", "F"),),
)
CLINICAL = ClinicalFindings(
    FindingsOutcome.EXTRACTED,
    conditions=(Finding("cough", "R05.9", "Cough", 0.9, field="OBX[1]-5"),),
    hospital=EVENT.diagnoses,
)
WORDS = {
    LeftOut.REASON: ("heroin",),
    LeftOut.DIAGNOSIS: ("F11", "Opioid dependence"),
    LeftOut.UNIT: ("SUDU", "Addiction", "R77", "DETOX", "HOPE"),
    LeftOut.FINDINGS: ("cough", "R05"),
    LeftOut.DESTINATION: ("psychiatric", "REHAB9", "Seaside Recovery"),
}


def content(
    policy: PolicyDecision,
    clinical: ClinicalFindings = CLINICAL,
    goes_to: str = "Seaside Recovery",
) -> str:
    """Text, HTML and bundle of the letter to a recipient under this decision."""
    recipient = replace(RECIPIENT, policy=policy)
    received_at = "2026-11-23T13:12:04.000Z"
    whole = Told(EVENT, clinical, received_at, discharged_to=goes_to)
    told = reduced(whole, recipient)
    level = detail_under(Detail(DetailLevel.FULL), recipient).level
    letter = compose(told, recipient, SenderProfile("Northtown General"), detail=level)
    bundle = bundle_of(told, recipient, "Northtown General", "2026-11-23T13:12:05Z")
    return "\n".join((letter.subject, letter.text, letter.html, bundle))


@pytest.mark.parametrize("part", list(WORDS))
def test_a_part_that_is_left_out_is_in_no_form_of_the_letter(part: LeftOut) -> None:
    whole, without = content(PolicyDecision()), content(PolicyDecision(left_out=(part,)))
    for word in WORDS[part]:
        assert word not in without
    assert any(word in whole for word in WORDS[part])
    kept = [word for other, words in WORDS.items() if other is not part for word in words]
    assert [word for word in kept if word in whole and word not in without] == []


def test_a_minimal_letter_has_initials_and_institution() -> None:
    text = content(PolicyDecision(left_out=(LeftOut.MINIMAL,)))
    assert "A. O." in text
    for word in (*(word for words in WORDS.values() for word in words), "Okonjo\n"):
        assert word not in text


def finding(text: str, code: str = "", field: str = "OBX[1]-5") -> Finding:
    return Finding(text, code, text, 0.9, field=field)


HIDES = PolicyDecision(hidden_findings=(Sensitivity.SUBSTANCE_USE,))


@pytest.mark.parametrize("sensitive", [finding("dependence", "F11.20"), finding("methadone")])
def test_one_finding_of_a_hidden_category_leaves_out_all_of_them(sensitive: Finding) -> None:
    """Other findings of the same note may say the same in other words."""
    found = replace(CLINICAL, medications=(sensitive,))
    text = content(HIDES, found)
    assert "cough" not in text
    assert sensitive.text not in text.replace("Opioid dependence", "")


def test_findings_of_other_categories_are_told() -> None:
    assert "cough" in content(HIDES)
    negated = replace(CLINICAL, apart={SetAsideReason.NEGATED: (finding("alcohol"),)})
    assert "cough" in content(HIDES, negated)


def test_a_finding_in_the_reason_leaves_the_reason_out() -> None:
    found = replace(CLINICAL, conditions=(finding("heroin", field="PV2-3"),))
    assert "heroin" not in content(HIDES, found)


def test_a_registry_name_that_says_a_hidden_category_leaves_the_place_of_discharge_out() -> None:
    place = "Harbour Detox Centre"
    told, hidden = content(PolicyDecision(), goes_to=place), content(HIDES, goes_to=place)
    for text in (place, "REHAB9", "to the psychiatric hospital"):
        assert text in told
        assert text not in hidden
    assert "Seaside Recovery" in content(HIDES)


@pytest.mark.parametrize(
    ("part", "field"), [(LeftOut.REASON, "PV2-3"), (LeftOut.DIAGNOSIS, "DG1[1]-3")]
)
def test_what_a_machine_read_in_a_field_that_is_left_out_is_left_out_too(
    part: LeftOut, field: str
) -> None:
    read = finding("overdose", field=field)
    found = replace(
        CLINICAL,
        conditions=(*CLINICAL.conditions, read),
        medications=(read,),
        tests=(read,),
        procedures=(read,),
        apart={SetAsideReason.PAST: (read,)},
    )
    assert "overdose" in content(PolicyDecision(), found)
    text = content(PolicyDecision(left_out=(part,)), found)
    assert "overdose" not in text
    assert "cough" in text


def test_nothing_says_that_this_letter_is_reduced() -> None:
    """The same sentence about protected details stands in every letter."""
    sentence = "What the law or the patient's wishes protect is left out of every notification."
    for left_out in ((), (LeftOut.FINDINGS, LeftOut.REASON), (LeftOut.MINIMAL,)):
        assert sentence in content(PolicyDecision(left_out=left_out))
    reduced_letter = content(PolicyDecision(left_out=(LeftOut.FINDINGS,)))
    assert "analysed" not in reduced_letter


def test_a_consent_under_part_2_brings_the_statement_of_42_cfr_2_32() -> None:
    policy = PolicyDecision(notices=(PolicyNotice.PART2_REDISCLOSURE,), consent_id="C-77")
    statement = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
    text = content(policy)
    assert statement in text
    assert "consent C-77" in text
    # In clear text the statement itself would disclose the treatment.
    assert statement not in content(replace(policy, left_out=(LeftOut.MINIMAL,)))
    assert statement not in content(PolicyDecision())
