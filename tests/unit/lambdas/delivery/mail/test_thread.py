"""The headers that make one conversation of all mails about a stay."""

from email import message_from_bytes, policy

import pytest

from lambdas.delivery.letter.letter import Letter
from lambdas.delivery.mail.mailer import build
from lambdas.delivery.mail.thread import MAX_REFERENCES, MailThread, message_id

STAY = "5e" * 16
FIRST, SECOND = (f"0100018bd5f4c4{n}0-6a1d6a0c-3c0e-4f7f-9d0f-7d8b0c6f1a2b-000000" for n in (1, 2))


def headers(thread: MailThread, region: str = "us-east-1") -> dict[str, str]:
    """The thread's headers in a mail, as a mail program reads them."""
    mail = build(
        "ENS <notifications@ens.example>",
        Letter("subject", "text", "<p>text</p>"),
        "petra@clinic.example",
        "d1",
        thread=thread.headers("ens.example", region),
    )
    parsed = message_from_bytes(mail, policy=policy.default)
    assert parsed["Subject"] == "subject"
    assert all(len(line) <= 998 for line in mail.splitlines())
    return {
        name: " ".join(parsed[name].split())
        for name in ("References", "In-Reply-To")
        if parsed[name]
    }


def test_the_first_mail_of_a_stay_refers_to_the_stay_alone() -> None:
    assert headers(MailThread(STAY)) == {"References": f"<stay.{STAY}@ens.example>"}


def test_a_later_mail_replies_to_the_newest_one_by_the_ids_that_ses_gave() -> None:
    found = headers(MailThread(STAY, (FIRST, SECOND)), "ca-central-1")
    assert found["In-Reply-To"] == f"<{SECOND}@ca-central-1.amazonses.com>"
    assert found["References"].split() == [
        f"<stay.{STAY}@ens.example>",
        f"<{FIRST}@ca-central-1.amazonses.com>",
        f"<{SECOND}@ca-central-1.amazonses.com>",
    ]


@pytest.mark.parametrize(("region", "host"), [("us-east-1", "email"), ("eu-west-1", "eu-west-1")])
def test_ses_writes_its_first_region_as_email(region: str, host: str) -> None:
    assert message_id(FIRST, region) == f"<{FIRST}@{host}.amazonses.com>"


def test_a_long_stay_keeps_the_first_mail_and_the_newest_ones() -> None:
    many = tuple(f"m{number}" for number in range(50))
    references = headers(MailThread(STAY, many))["References"].split()
    assert len(references) == 2 + MAX_REFERENCES
    assert references[1].startswith("<m0@")
    assert references[-1].startswith("<m49@")


def test_a_mail_without_a_stay_has_no_thread() -> None:
    assert headers(MailThread("", (FIRST,))) == {}
