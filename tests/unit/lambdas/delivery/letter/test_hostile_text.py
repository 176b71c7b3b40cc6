"""Whatever a sender writes into a field, the reader sees a letter of ours around it."""

import unicodedata
from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.common.contracts.findings import ClinicalFindings, Finding, FindingsOutcome
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.patient import Patient
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.message.practitioner import Practitioner, PractitionerRole
from lambdas.common.contracts.message.visit import CodedText, Location, Visit
from lambdas.common.senders import SenderProfile
from lambdas.delivery.letter.letter import Letter
from lambdas.delivery.letter.words.clean import clean
from lambdas.delivery.mail import mailer
from tests.unit.lambdas.delivery.letter.letters import RECIPIENT, Page, letter_of

NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></tr></table><h1>Discharged</h1>",
    "Okonjo\r\nBcc: all@evil.example",
    "Okonjo\u202egnp.exe",
    "{{ 7 * 7 }}{% raw %}",
    "a\u0000b\u0007c\x1b[31m",
    "\ud800 lone surrogate",
    "line\u2028break\u2029s",
    "&lt;b&gt;",
    "x" * 100_000,
    "Z" + "\u0301" * 5_000,
    "https://evil.example/login",
    "😀" * 500,
    "=HYPERLINK(1)",
    "{name}{0.__class__}",
    "%s%n%x",
]
ANY = st.text(alphabet=st.characters(), max_size=60) | st.sampled_from(NASTY)


def filled(text: str) -> tuple[PatientEvent, ClinicalFindings]:
    """An event and findings with this text in every field that a sender controls."""
    name, coded = Name(*[text] * 5), CodedText(text, text, text, text)
    location = Location(*[text] * 4)
    event = PatientEvent(
        event_id="0" * 32,
        trigger_event="A03",
        event_kind=EventKind.DISCHARGE,
        notifiable=True,
        hl7_version="2.5.1",
        processing_id=text,
        sending_facility=text,
        occurred_at=text,
        patient=Patient(name=name, birth_date=text, sex=text),
        visit=Visit(
            location=location,
            admitted_at=text,
            disposition=coded,
            discharged_to=text,
            reason=coded,
            facility_name=text,
        ),
        practitioners=(Practitioner(PractitionerRole.ATTENDING, name=name),),
        diagnoses=(coded,) * 40,
    )
    found = (Finding(text, text, text, 0.5, text),) * 40
    return event, ClinicalFindings(FindingsOutcome.EXTRACTED, conditions=found, medications=found)


SHAPE = {tag for tag, _ in Page(letter_of(*filled("x")).html).tags}


@pytest.mark.parametrize("text", NASTY)
def test_hostile_text_in_every_field_changes_nothing_but_the_words(text: str) -> None:
    check(text)


@settings(max_examples=60)
@given(ANY)
def test_any_text_in_every_field_changes_nothing_but_the_words(text: str) -> None:
    check(text)


def check(text: str) -> None:
    """The letter's HTML keeps its tags, its mail its headers, and nothing invisible is left."""
    event, clinical = filled(text)
    recipient = replace(RECIPIENT, name=Name(*[text] * 5))
    letter = letter_of(event, clinical, recipient, SenderProfile(text))

    page = Page(letter.html)
    assert page.faults == []
    assert {tag for tag, _ in page.tags} <= SHAPE
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert len(letter.html.encode()) < 100_000
    for shown in (letter.text.replace("\n", " "), " ".join(page.texts)):
        categories = {unicodedata.category(c) for c in shown if c not in "\u200c\u200d"}
        assert not categories & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        assert "://" not in shown.replace(":// ", "")

    raw = mail_of(letter)
    assert raw.isascii()
    assert all(len(line) < 998 for line in raw.split(b"\r\n"))
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail.keys() == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "X-Auto-Response-Suppress",
        "MIME-Version",
        "Content-Type",
    ]
    assert mail["To"] == "petra@clinic.example"
    assert mail["Bcc"] is None
    assert mail.get_body(("html",)).get_content().replace("\r\n", "\n") == letter.html  # type: ignore[union-attr]
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") == letter.text  # type: ignore[union-attr]


def mail_of(letter: Letter) -> bytes:
    """The letter as a mail."""
    return mailer.build("notifications@ens.example", letter, "petra@clinic.example", "d" * 32)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  Amaka \t Okonjo ", "Amaka Okonjo"),
        ("Okonjo\r\nBcc: x", "Okonjo Bcc: x"),
        ("abc\u202edef\u2066g", "abcdefg"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("e\u0301", "é"),
        ("see www.evil.example", "see www. evil.example"),
        ("Оkоnjо", "Okonjo"),  # three Cyrillic letters
        ("Ｏｋｏｎｊｏ", "Okonjo"),
        ("𝐎konjo", "Okonjo"),
        ("Иванов", "Иванов"),
        ("Παπαδόπουλος", "Παπαδόπουλος"),
        ("=HYPERLINK(0)", "'=HYPERLINK(0)"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
        ("+1 902 555 0199", "+1 902 555 0199"),
        ("-20 mg", "-20 mg"),
        ("", ""),
    ],
)
def test_text_is_shown_on_one_line_without_what_cannot_be_seen(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_a_field_that_is_cut_says_so() -> None:
    assert clean("x" * 1_000, 10) == "x" * 9 + "…"
    assert clean("x" * 10, 10) == "x" * 10
