"""The message for a computer: valid FHIR R4, whole in itself, and no more than the message said."""

import json
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from lambdas.common.contracts.encounters.encounter import Change, EncounterClass
from lambdas.common.contracts.encounters.stay_flags import FlagKind, StayFlag
from lambdas.common.contracts.message.event_kind import CANCELS, NOTIFIED
from lambdas.common.contracts.message.patient import PatientIdentifier
from lambdas.common.contracts.message.visit import CodedText
from lambdas.delivery.letter.fhir_bundle import bundle_of
from lambdas.delivery.letter.told import Told
from tests.unit.lambdas.delivery.letter.letters import ADMISSION, BARE, RECIPIENT, of_kind
from tests.unit.lambdas.delivery.letter.test_hostile_text import NASTY, filled
from tests.unit.lambdas.delivery.letter.test_remarks import EARLIER, STAY, decided

READER = replace(RECIPIENT, address="petra@clinic.example", stay_ref=STAY)
SENT_AT = "2026-11-23T13:12:05.000Z"


def made(event: Any) -> dict[str, Any]:
    """The bundle of an event, after fhir.resources has found it valid."""
    text = bundle_of(Told(event), READER, "Northtown General", SENT_AT)
    Bundle.model_validate_json(text)
    document: dict[str, Any] = json.loads(text)
    return document


def notification_event(kind: str) -> str:
    """The code of Da Vinci's CodeSystem notification-event: an encounter's begin, move or end."""
    if "discharge" in kind or "death" in kind:
        return "discharge"
    return "transfer" if "transfer" in kind else "admit"


@pytest.mark.parametrize("kind", NOTIFIED)
def test_every_kind_is_a_valid_message_with_its_header_first(kind: str) -> None:
    event = of_kind(kind, disposition=CodedText("03"), visit_number="V884213")
    event = replace(
        event,
        patient=replace(
            event.patient,
            identifiers=(PatientIdentifier("H1", "N", "2.16.840.1.113883.3.9999.11"),),
        ),
    )
    bundle = made(event)
    resources = [entry["resource"] for entry in bundle["entry"]]
    assert bundle["type"] == "message"
    assert resources[0]["resourceType"] == "MessageHeader"
    code = resources[0]["eventCoding"]["code"]
    assert code == f"notification-{notification_event(kind)}"
    known = {entry["fullUrl"] for entry in bundle["entry"]}
    assert references(bundle) <= known
    patient = next(r for r in resources if r["resourceType"] == "Patient")
    assert (patient["birthDate"], patient["gender"]) == ("1958-02-14", "female")


def references(node: Any) -> set[str]:
    """Every reference in a document."""
    if isinstance(node, dict):
        inner = set().union(*(references(value) for value in node.values()))
        return inner | ({node["reference"]} if "reference" in node else set())
    return set().union(*(references(value) for value in node)) if isinstance(node, list) else set()


def test_what_was_not_given_is_not_there() -> None:
    kinds = [entry["resource"]["resourceType"] for entry in made(BARE)["entry"]]
    assert kinds == ["MessageHeader", "Encounter", "Patient", "Organization", "Provenance"]


def test_numbers_of_other_offices_and_of_accounts_are_not_sent_on() -> None:
    """PID-3 of many feeds repeats the Social Security number and the account (HL7 table 0203)."""
    sent = [
        PatientIdentifier("078051120", "USSSA", identifier_type=" ss"),
        PatientIdentifier("D44-771", "WA", identifier_type="DL"),
        PatientIdentifier("A-5512", "NORTHGEN", identifier_type="AN"),
        PatientIdentifier("H00412", "NORTHGEN", identifier_type="MR"),
        PatientIdentifier("E991", "EPIC", identifier_type="EPI"),
        PatientIdentifier("77"),
    ]
    event = of_kind("admission")
    event = replace(event, patient=replace(event.patient, identifiers=tuple(sent)))
    (patient,) = [
        entry["resource"]
        for entry in made(event)["entry"]
        if entry["resource"]["resourceType"] == "Patient"
    ]
    assert [one["value"] for one in patient["identifier"]] == ["H00412", "E991", "77"]


def test_its_provenance_says_which_message_it_was_translated_from() -> None:
    event = replace(of_kind("admission"), message_control_id="NG-77")
    resources = [entry["resource"] for entry in made(event)["entry"]]
    header, provenance = resources[0], resources[-1]
    assert provenance["target"] == [{"reference": f"urn:uuid:{header['id']}"}]
    assert provenance["activity"]["coding"][0]["code"] == "transform"
    assert provenance["entity"][0]["what"] == {"identifier": {"value": "NG-77"}}


@pytest.mark.parametrize("kind", CANCELS)
def test_a_withdrawal_has_nothing_clinical(kind: str) -> None:
    event = of_kind(kind, disposition=CodedText("03"))
    event = replace(event, patient=replace(event.patient, died=True))
    resources = [entry["resource"] for entry in made(event)["entry"]]
    assert "Condition" not in {resource["resourceType"] for resource in resources}
    assert "reasonCode" not in resources[1]
    assert "hospitalization" not in resources[1]
    assert resources[2].get("deceasedBoolean") is (False if kind == "cancel_death" else None)


def test_the_encounter_after_a_withdrawal_is_as_the_stay_is_now() -> None:
    classes = (EncounterClass.INPATIENT, EncounterClass.OBSERVATION)
    event = decided("correction", classes=classes, changes=(Change.CLASS,))
    encounter = made(event)["entry"][1]["resource"]
    assert (encounter["status"], encounter["class"]["code"]) == ("in-progress", "OBSENC")
    wrong = decided("correction", classes=classes, changes=(Change.PATIENT,))
    assert made(wrong)["entry"][1]["resource"]["status"] == "entered-in-error"


@pytest.mark.parametrize("kind", NOTIFIED)
def test_every_notice_of_a_stay_has_the_stays_id(kind: str) -> None:
    encounter = made(decided(kind))["entry"][1]["resource"]
    assert {"system": "urn:hl7-ens:stay", "value": STAY} in encounter["identifier"]


def test_a_flag_has_the_facts_that_it_rests_on() -> None:
    flag = StayFlag(kind=FlagKind.FREQUENT_EMERGENCY, stays=(EARLIER,), count=3)
    told = Told(ADMISSION, flags=(flag,))
    text = bundle_of(told, READER, "Northtown General", SENT_AT)
    Bundle.model_validate_json(text)
    (found,) = [
        entry["resource"]
        for entry in json.loads(text)["entry"]
        if entry["resource"]["resourceType"] == "Flag"
    ]
    assert found["code"]["coding"] == [{"code": "frequent-emergency-visits"}]
    assert "3 visits in 60 days; St Mary Hospital, 2026-11-01" in found["code"]["text"]


def test_a_time_that_cannot_be_right_is_not_in_the_bundle() -> None:
    event = of_kind("admission", admitted_at="2031-01-01T00:00:00-04:00")
    text = bundle_of(Told(event, received_at="2026-11-23T13:12:04.000Z"), READER, "x", SENT_AT)
    assert "2031" not in text


def test_a_withdrawn_admission_is_an_encounter_in_error() -> None:
    encounter = made(of_kind("cancel_admission"))["entry"][1]["resource"]
    assert encounter["status"] == "entered-in-error"


@pytest.mark.parametrize("text", NASTY)
def test_hostile_text_leaves_the_bundle_valid(text: str) -> None:
    event, _ = filled(text)
    bundle = bundle_of(Told(event), READER, "x", SENT_AT)
    json.loads(bundle)
    assert len(bundle) < 60_000


def test_what_a_machine_read_is_no_diagnosis() -> None:
    conditions = [
        entry["resource"]["code"]["text"]
        for entry in made(ADMISSION)["entry"]
        if entry["resource"]["resourceType"] == "Condition"
    ]
    assert conditions == ["Other pulmonary embolism"]
