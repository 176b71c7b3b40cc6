"""Discharge, transfer and death: where it led, from where to where, and words of its own for the last."""

import re
from dataclasses import replace

import pytest

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
