"""A message's text tries to put a contact of the attacker's into the letter."""

import re

import pytest

from lambdas.common.senders import SenderProfile
from lambdas.delivery.letter.words.unlinked import letter_text
from tests.unit.lambdas.delivery.letter.letters import letter_of
from tests.unit.lambdas.delivery.letter.test_hostile_text import filled

CONTACTS = [
    "see evil.example for results",
    "EVIL.EXAMPLE",
    "evil\u3002example",
    "login.evil.co.uk/x",
    "www.evil.example",
    "https://evil.example/login",
    "write to care@evil.example",
    "care\uff20evil.example",
    "mailto:care@evil.example",
    "call +1 902 555 0199 now",
    "call +19025550199",
    "call (902) 555-0199",
    "call 902-555-0199",
    "call 1-902-555-0199",
    "call 0800 123 4567",
    "tel:+4930123456",
]
LINKED = re.compile(
    r"[\w-]+\.(?:example|uk|co)\b|\S@\S|://\S|mailto:|tel:|\+\d[\d ]{6}|\d{3}-\d{4}|0800 123",
    re.IGNORECASE,
)


@pytest.mark.parametrize("text", CONTACTS)
def test_a_contact_in_a_message_s_text_is_no_link_in_any_part_of_the_letter(text: str) -> None:
    event, findings = filled(text)
    letter = letter_of(event, findings, sender=SenderProfile())
    for part in (letter.text, letter.subject):
        assert not LINKED.search(part.replace("ens.example", "")), LINKED.search(part)


@pytest.mark.parametrize(
    "text",
    [
        "I48.91",
        "2.5 mg twice, i.e. 5 mg",
        "BP 120/80 at 09:15",
        "1958-02-14",
        "MRN 0012345678",
        "3W-301",
        "2026-11-23 09:15",
        "St. Mary's",
        "acute M.I.",
    ],
)
def test_what_is_no_contact_stays_as_it_was(text: str) -> None:
    assert letter_text(text) == text


def test_the_sender_s_own_number_is_the_contact() -> None:
    event, findings = filled("x")
    sender = SenderProfile(display_name="Northtown General", phone="+1 902 555 0100")
    assert "+1 902 555 0100" in letter_of(event, findings, sender=sender).text
