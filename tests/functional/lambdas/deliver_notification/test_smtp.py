"""The mail as it arrives: sent through a real SMTP conversation, read back by another parser."""

import email.policy
import smtplib
import socket
from dataclasses import replace
from email.parser import BytesParser
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from lambdas.delivery import mailer
from tests.functional.lambdas.deliver_notification.world import RECIPIENT, DeliveryWorld, sent_bytes


class Inbox:
    """Keeps what the SMTP server took."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, list[str], bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Takes one mail."""
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 taken"


def through_smtp(raw: bytes) -> bytes:
    """The mail after an SMTP conversation over a socket."""
    inbox = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            client.sendmail(mailer.from_address(), [RECIPIENT.address], raw)
    finally:
        server.stop()
    [(sender, readers, content)] = inbox.taken
    assert (sender, readers) == ("notifications@ens.example", [RECIPIENT.address])
    return content


@pytest.mark.parametrize("language", ["en", "fr-CA"])
def test_a_mail_survives_the_way_and_says_the_same(aws: Any, language: str) -> None:
    DeliveryWorld((replace(RECIPIENT, language=language, bundle=True),)).run()
    [raw] = sent_bytes()
    arrived = through_smtp(raw)
    assert arrived.replace(b"\r\n", b"\n").strip() == raw.replace(b"\r\n", b"\n").strip()
    # The compat32 parser: another one than the policy with which the mail was built.
    mail = BytesParser(policy=email.policy.compat32).parsebytes(arrived)
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/fhir+json",
    ]
    plain, html = list(mail.walk())[2:4]
    for part in (plain, html):
        body = part.get_payload(decode=True)
        assert isinstance(body, bytes)
        assert "Amaka Okonjo" in body.decode("utf-8")
        assert ("Établissement" in body.decode("utf-8")) is (language == "fr-CA")
    assert max(len(line) for line in arrived.split(b"\r\n")) < 998
