"""The content of a notification, kind by kind, and the content that it never has."""

import re
from dataclasses import replace
from typing import Any

import pytest

from lambdas.common.contracts.findings import ClinicalFindings, Finding, FindingsOutcome
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import CANCELS, NOTIFIED
from lambdas.common.contracts.message.notes import Note
from lambdas.common.contracts.message.patient import Patient, PatientIdentifier
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.message.visit import CodedText, Location, Visit
from lambdas.common.contracts.recipients.recipient import RecipientReason
from lambdas.common.senders import SenderCodes, SenderProfile, sender_profile
from lambdas.delivery.letter.letter import compose
from lambdas.delivery.letter.told import Told
from lambdas.delivery.letter.words.locale import words_in
from lambdas.delivery.letter.words.wording import VARIANTS
from tests.unit.lambdas.delivery.letter.letters import (
    ADMISSION,
    BARE,
    DEATHS,
    FINDINGS,
    RECIPIENT,
    SENDER,
    Page,
    both,
    letter_of,
    of_kind,
)

TOLD = {
    "admission": "Amaka Okonjo was admitted to hospital.",
    "observation": "Amaka Okonjo is in hospital for observation, not as an inpatient.",
    "death": "Amaka Okonjo has died.",
    "cancel_death": "The death notice about Amaka Okonjo does not hold",
    "correction": "The first notice about Amaka Okonjo no longer holds",
    "update": "The hospital sent additional details about the stay of Amaka Okonjo.",
    "registration": "Amaka Okonjo was registered at hospital.",
    "ed_registration": "Amaka Okonjo was registered in the emergency department.",
    "transfer": "Amaka Okonjo was transferred.",
    "discharge": "Amaka Okonjo was discharged from hospital.",
    "ed_discharge": "Amaka Okonjo was discharged from the emergency department.",
    "cancel_admission": "The admission or registration of Amaka Okonjo was cancelled",
    "cancel_transfer": "The transfer of Amaka Okonjo was cancelled by the hospital.",
    "cancel_discharge": "The discharge of Amaka Okonjo was cancelled by the hospital.",
}


def test_every_kind_of_event_has_words_of_its_own() -> None:
    assert set(TOLD) == set(NOTIFIED) == set(words_in("en").notices.names()) - set(VARIANTS)
    subjects = [letter_of(of_kind(kind)).subject for kind in NOTIFIED]
    assert len(set(subjects)) == len(NOTIFIED)


@pytest.mark.parametrize("kind", NOTIFIED)
def test_each_kind_says_who_where_when_and_by_whom_in_both_texts(kind: str) -> None:
    letter = letter_of(of_kind(kind), FINDINGS)
    for text in (letter.text, Page(letter.html).text):
        assert TOLD[kind] in text
        assert "14 February 1958 (68 years)" in text
        assert "female" in text
        assert "Northtown General" in text
        assert "Dr Ines Barros (attending)" in text
        assert "nit 4W, room 412, bed B" in text
        assert "23 November 2026, 09:12 (America/Halifax time)" in text
        assert ("shortness of breath" in text) is (kind not in CANCELS)


@pytest.mark.parametrize("kind", CANCELS)
@pytest.mark.parametrize("detail", ["full", "minimal"])
def test_a_withdrawal_repeats_nothing_clinical(kind: str, detail: str) -> None:
    died = replace(ADMISSION.patient, died=True, died_at="2026-11-23T05:40-04:00")
    event = of_kind(kind, disposition=CodedText("03"), discharged_to="Harbour House")
    letter = letter_of(replace(event, patient=died), FINDINGS, detail=detail)
    for text in both(letter):
        for clinical in ("breath", "embolism", "a-fib", "Harbour", "nursing", "05:40", "analysed"):
            assert clinical not in text


@pytest.mark.parametrize("kind", NOTIFIED)
def test_no_subject_tells_anything_about_the_patient(kind: str) -> None:
    subject = letter_of(of_kind(kind)).subject
    assert re.fullmatch(r"[A-Z][a-z ]+: a patient of yours \(ref\. 3F2A91C4\)", subject)


def test_what_the_hospital_says_comes_before_what_a_machine_read() -> None:
    for text in both(letter_of(clinical=FINDINGS)):
        hospital = text.index("Other pulmonary embolism (I26.99, admitting)")
        machine = text.lower().index("found by machine in the hospital's notes")
        code = text.index("Unspecified atrial fibrillation (ICD-10-CM I48.91)")
        assert hospital < machine < text.index("Not confirmed by a clinician") < code
        assert "a-fib" in text[code:]
        assert "propanolol, 10Mg p.o. twice daily (RxNorm 8787)" in text[code:]
        assert re.search("chest discomfort ?, symptom, left,? read from", text[code:])


def test_the_three_required_items_are_named_as_missing_where_they_are() -> None:
    for text in both(letter_of(BARE, sender=SenderProfile())):
        assert "A patient of yours was admitted to hospital." in text
        assert re.search("Patient:? name not given in the hospital's message", text)
        assert re.search("Sending institution:? not named in the hospital's message", text)
        assert re.search("Treating practitioner:? not yet assigned", text)


@pytest.mark.parametrize("detail", ["full", "minimal"])
@pytest.mark.parametrize("language", ["en", "fr-CA"])
@pytest.mark.parametrize("kind", NOTIFIED)
def test_a_name_that_ends_in_a_point_ends_its_sentence(
    kind: str, language: str, detail: str
) -> None:
    name = Name(family="Okonjo", given="Amaka", suffix="Jr.")
    event = replace(of_kind(kind), patient=replace(ADMISSION.patient, name=name))
    reader = replace(RECIPIENT, language=language)
    for text in both(letter_of(event, recipient=reader, detail=detail)):
        assert ".." not in text


def test_an_empty_field_leaves_no_label() -> None:
    letter = letter_of(BARE, sender=SenderProfile())
    labels = re.findall(r"^([A-Z][a-z ]{1,24}):", letter.text, re.MULTILINE)
    assert labels == ["For", "Patient", "Sending institution", "Treating practitioner"]
    assert len(re.findall("<th ", letter.html)) == 3
    assert "DIAGNOSES" not in letter.text
    assert "MACHINE" not in letter.text


def test_the_institution_is_named_by_the_best_name_there_is() -> None:
    named = of_kind("admission", facility_name="Northtown General Hospital")
    assert (
        "institution: Northtown General Hospital" in letter_of(named, sender=SenderProfile()).text
    )
    assert "institution: NORTHGEN" in letter_of(sender=SenderProfile()).text


def test_the_facilities_of_a_transfer_have_the_names_of_the_senders_file() -> None:
    moved = of_kind("transfer", prior_location=Location(facility="EAST", unit="2B"))
    codes = SenderCodes(facility_names={"NORTHGEN": "Northtown General", "EAST": "Eastside Clinic"})
    for text in both(letter_of(moved, sender=SenderProfile(codes=codes))):
        assert re.search(r"From:?\s+Eastside Clinic, unit 2B", text)
        assert re.search(r"To:?\s+Northtown General, unit 4W", text)


def test_the_admitting_practitioner_stands_in_for_an_attending_one() -> None:
    event = replace(ADMISSION, practitioners=ADMISSION.practitioners[1:])
    assert "Treating practitioner: Dr Wei Chen (admitting)" in letter_of(event).text
    nobody = replace(of_kind("discharge"), practitioners=())
    assert "practitioner: not named in the hospital's message" in letter_of(nobody).text


@pytest.mark.parametrize(
    ("clinical", "noted", "sentence"),
    [
        ("unavailable", False, "were not analysed"),
        ("switched_off", True, "were not analysed"),
        ("switched_off", False, ""),
        ("nothing_to_read", False, ""),
        ("extracted", True, "it found nothing to list"),
    ],
)
def test_what_became_of_the_notes_is_said_where_nothing_is_listed(
    clinical: str, noted: bool, sentence: str
) -> None:
    event = replace(ADMISSION, notes=(Note("OBX[1]-5", "pt well"),) if noted else ())
    for text in both(letter_of(event, ClinicalFindings(FindingsOutcome(clinical)))):
        found = [part for part in ("were not analysed", "nothing to list") if part in text]
        assert found == ([sentence.removeprefix("it found ")] if sentence else [])


def test_a_list_that_is_cut_says_how_much_is_missing() -> None:
    many = tuple(CodedText(f"Z{number:02d}", f"Diagnosis {number}") for number in range(25))
    for text in both(letter_of(replace(ADMISSION, diagnoses=many))):
        assert "Diagnosis 19" in text
        assert "Diagnosis 20" not in text
        assert "and 5 more, see the hospital's record" in text


def test_a_finding_that_was_read_twice_is_listed_once() -> None:
    again = replace(FINDINGS, conditions=FINDINGS.conditions * 2)
    assert letter_of(clinical=again) == letter_of(clinical=FINDINGS)


@pytest.mark.parametrize(("mode", "mark"), [("T", "TEST"), ("t", "TEST"), ("D", "TRAINING")])
def test_a_test_message_does_not_look_live(mode: str, mark: str) -> None:
    letter = letter_of(replace(ADMISSION, processing_id=mode))
    assert letter.subject.startswith(f"[{mark}] ")
    for text in both(letter):
        assert f"{mark} MESSAGE: this is not about a real patient." in text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Your list of patients (roster) ends on 1 December 2026."),
        ("fr-CA", "Votre liste de patients prend fin le 1er décembre 2026."),
    ],
)
@pytest.mark.parametrize("detail", ["full", "minimal"])
def test_a_subscriber_is_told_that_their_roster_ends(language: str, said: str, detail: str) -> None:
    subscriber = replace(
        RECIPIENT,
        language=language,
        reasons=(RecipientReason.SUBSCRIBER,),
        roster_until="2026-12-01",
    )
    letter = letter_of(ADMISSION, recipient=subscriber, detail=detail)
    for body in both(letter):
        assert said in body
    for body in both(letter_of(ADMISSION, recipient=replace(subscriber, roster_until=""))):
        assert said[:20] not in body


def test_the_reader_learns_whom_to_ask_and_why_they_were_told() -> None:
    for text in both(letter_of()):
        assert "Contact Northtown General and ask for Dr Ines Barros." in text
        assert "You are on record for this patient as: primary care provider." in text
    unexplained = replace(RECIPIENT, reasons=())
    assert "You are on record for this patient.\n" in letter_of(recipient=unexplained).text


@pytest.mark.parametrize("name", [Name("Test", "Zztraining"), Name("ZZTEST", "Ana")])
def test_a_patient_with_the_name_of_a_test_patient_does_not_look_live(name: Name) -> None:
    letter = letter_of(replace(ADMISSION, patient=replace(ADMISSION.patient, name=name)))
    assert letter.subject.startswith("[TEST] ")
    assert "TEST MESSAGE: this is not about a real patient." in letter.text
    assert not letter_of(ADMISSION).subject.startswith("[")


@pytest.mark.parametrize(
    ("entry", "marked"),
    [
        ({"test_patient_names": ["okon"]}, True),
        ({"test_patient_names": ["XTEST"]}, False),
        ({"test_patient_identifiers": ["T-9"]}, True),
        ({"test_patient_identifiers": ["9"]}, False),
    ],
)
def test_test_patients_are_those_of_the_senders_file(entry: dict[str, Any], marked: bool) -> None:
    patient = replace(ADMISSION.patient, identifiers=(PatientIdentifier("t-9001", "OTHER"),))
    letter = letter_of(replace(ADMISSION, patient=patient), sender=sender_profile(entry))
    assert letter.subject.startswith("[TEST] ") is marked


@pytest.mark.parametrize(
    ("code", "said"),
    [("SNF55", "Discharged to: Cedar Court (SNF55)"), ("", "Discharged to: Cedar Court")],
)
def test_the_facility_of_a_discharge_is_named_by_the_registry(code: str, said: str) -> None:
    event = of_kind("discharge", discharged_to=code)
    told = Told(event, FINDINGS, discharged_to="Cedar Court")
    letter = compose(told, RECIPIENT, SENDER)
    assert said in letter.text.splitlines()


def test_every_reason_that_the_look_up_gives_has_words() -> None:
    assert set(RecipientReason) <= set(words_in("en").reasons.names())


def test_the_first_line_a_preview_shows_names_nobody() -> None:
    letter = letter_of()
    assert letter.text.splitlines()[0] == "Confidential patient information."
    assert Page(letter.html).texts[0].startswith("Confidential patient information.")
    assert "Okonjo" not in " ".join(Page(letter.html).texts[:1])


def test_the_plain_text_has_no_gaps_and_no_markup() -> None:
    text = letter_of(clinical=FINDINGS).text
    assert "\n\n\n" not in text
    assert not re.search("<[a-z/]|&[a-z#]+;", text)


@pytest.mark.parametrize("event", [*map(of_kind, NOTIFIED), *DEATHS, BARE])
def test_the_html_holds_in_mail_clients(event: PatientEvent) -> None:
    html = letter_of(event, FINDINGS).html
    page = Page(html)
    assert page.faults == []
    assert html.startswith("<!DOCTYPE html>")
    assert len(html.encode()) < 100_000
    names = {tag for tag, _ in page.tags}
    assert not names & {"img", "script", "link", "iframe", "form", "a", "object"}
    assert "url(" not in html
    assert "http" not in html
    layout = [attributes for tag, attributes in page.tags if tag == "table"]
    # One table holds data (its rows have headers), the others only place it.
    assert [table.get("role") for table in layout].count(None) == 1
    assert dict(page.tags)["html"] == {"lang": "en"}
    assert "prefers-color-scheme: dark" in html
    assert "width=device-width" in html


def test_a_letter_hides_its_texts_from_repr() -> None:
    assert "Okonjo" not in repr(letter_of())


def test_a_patient_with_only_one_name_is_called_by_it() -> None:
    event = replace(BARE, patient=Patient(name=Name(family="Sukarno")), visit=Visit())
    assert "Sukarno was admitted to hospital." in letter_of(event).text


def test_a_finding_without_code_claims_none() -> None:
    only = ClinicalFindings(FindingsOutcome.EXTRACTED, conditions=(Finding("syncope"),))
    assert "- syncope, read from" in letter_of(clinical=only).text
