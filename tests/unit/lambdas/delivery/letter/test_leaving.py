"""Discharge, transfer and death: where it led, from where to where, and words of its own for the last."""

import re
from dataclasses import replace

import pytest

from lambdas.common.contracts.encounters.encounter import Decision, EncounterClass, Facts
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.visit import CodedText, Location
from tests.unit.lambdas.delivery.letter.letters import ADMISSION, DEATHS, both, letter_of, of_kind


@pytest.mark.parametrize("event", DEATHS)
def test_a_death_is_told_as_one_and_never_as_a_discharge_home(event: PatientEvent) -> None:
    letter = letter_of(event)
    assert letter.subject.startswith("Death notice:")
    for text in both(letter):
        assert "Amaka Okonjo has died." in text
        assert "ischarged" not in text
        assert "Home" not in text


def test_a_death_that_has_a_time_of_its_own_shows_it() -> None:
    assert "Died: 23 November 2026, 05:40 (America/Halifax time)" in letter_of(DEATHS[3]).text


def test_a_patient_marked_as_dead_on_another_event_is_shown_so() -> None:
    event = replace(ADMISSION, patient=replace(ADMISSION.patient, died=True))
    assert "Died: yes, by the hospital's record" in letter_of(event).text


@pytest.mark.parametrize(
    ("disposition", "shown"),
    [
        (CodedText("01"), "Home or self-care"),
        (CodedText("1"), "1"),
        (CodedText("03", "SNF"), "SNF"),
        (CodedText("07"), "Left against medical advice, or discontinued care"),
        (CodedText("81"), "Home or self-care (readmission planned)"),
        (CodedText("HOM", "to her sister"), "to her sister"),
        (CodedText("ZZ"), "ZZ"),
    ],
)
def test_a_discharge_says_where_it_led(disposition: CodedText, shown: str) -> None:
    event = of_kind("discharge", disposition=disposition, discharged_to="Harbour House")
    for text in both(letter_of(event)):
        assert re.search(rf"Disposition:? {re.escape(shown)}", text)
        assert re.search("Discharged to:? Harbour House", text)
    admission = replace(event, event_kind=EventKind.ADMISSION)
    assert "Disposition" not in letter_of(admission).text


def test_a_transfer_says_from_where_to_where() -> None:
    event = of_kind(
        "transfer",
        prior_location=Location("Eastend Clinic", "ED"),
        location=Location("NORTHGEN", "4W", "412"),
    )
    for text in both(letter_of(event)):
        assert re.search("From:? Eastend Clinic, unit ED", text)
        assert re.search("To:? NORTHGEN, unit 4W, room 412", text)


def test_a_death_without_a_time_of_its_own_is_never_told_at_the_time_of_the_admission() -> None:
    visit = {"admitted_at": "2026-11-20T09:12:00-04:00"}
    without = replace(of_kind("death", **visit), occurred_at="")
    recorded = replace(without, recorded_at="2026-11-21T14:30:00-04:00")
    left = replace(
        recorded, visit=replace(recorded.visit, discharged_at="2026-11-21T14:25:00-04:00")
    )

    assert re.search("Recorded:? 21 November 2026, 14:30", letter_of(recorded).text)
    for text in both(letter_of(left)):
        assert re.search("Recorded:? 21 November 2026, 14:25", text)
        assert re.search("Admitted:? 20 November 2026, 09:12", text)


@pytest.mark.parametrize(
    ("kind", "stay", "label"),
    [
        ("ed_discharge", EncounterClass.EMERGENCY, "Registered"),
        ("death", EncounterClass.EMERGENCY, "Registered"),
        ("discharge", EncounterClass.OBSERVATION, "Since"),
        ("discharge", EncounterClass.INPATIENT, "Admitted"),
    ],
)
def test_a_stay_that_was_no_inpatient_stay_has_no_time_of_admission(
    kind: str, stay: EncounterClass, label: str
) -> None:
    event = replace(
        of_kind(kind, admitted_at="2026-11-20T09:12:00-04:00"),
        decision=Decision(
            event_id="e", trigger_event="A03", decided_at="", facts=Facts(encounter_class=stay)
        ),
    )
    for text in both(letter_of(event)):
        assert re.search(f"{label}:? 20 November 2026, 09:12", text)
        assert ("Admitted" in text) == (label == "Admitted")


def test_an_emergency_visit_that_ended_in_a_bed_here_began_with_its_registration() -> None:
    visit = {
        "admitted_at": "2026-11-20T09:12:00-04:00",
        "disposition": CodedText("09", system="NUBC"),
    }
    text = letter_of(of_kind("ed_discharge", **visit)).text
    assert "left the emergency department: admitted here" in text
    assert "Registered: 20 November 2026, 09:12" in text
    assert "Admitted:" not in text


def test_an_update_is_told_at_its_own_time_and_not_at_that_of_the_admission() -> None:
    update = replace(
        of_kind("update", admitted_at="2026-11-20T09:12:00-04:00"),
        occurred_at="",
        recorded_at="2026-11-21T14:30:00-04:00",
    )
    for text in both(letter_of(update)):
        assert re.search("Updated:? 21 November 2026, 14:30", text)
        assert "20 November" not in text
