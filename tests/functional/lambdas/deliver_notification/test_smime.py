"""Encrypted notifications: opened and verified by openssl, and never in the clear instead."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from lambdas.common.audit import chain
from lambdas.common.contracts.recipients.preferences import DetailLevel
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger.items import AddressProblemState
from lambdas.delivery.ledger.sending import address_problems
from tests.functional.lambdas.deliver_notification.world import (
    ADMISSION,
    EVENT_ID,
    PRIVATE,
    RECIPIENT,
    DeliveryWorld,
    sent_bytes,
    sent_mails,
)
from tests.support.certificates import IssuedCertificate, authority, mailbox, revocations

ROOT, OTHER = authority("Trusted"), authority("Unknown")
MIDDLE = authority("Middle", ROOT)
OURS = mailbox("notifications@ens.example", ROOT)
PETRA = mailbox(RECIPIENT.address, MIDDLE)
OPENSSL = shutil.which("openssl")


@pytest.fixture(autouse=True)
def _secret(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    document = {
        "certificate": OURS.pem,
        "key": OURS.key_pem,
        "anchors": ROOT.pem,
        "crls": revocations(MIDDLE, mailbox("gone@clinic.example", MIDDLE)),
    }
    aws.client("secretsmanager").create_secret(Name="smime", SecretString=json.dumps(document))
    monkeypatch.setenv("ENS_SMIME_SECRET", "smime")
    yield


def world_with(context: DeliveryContext, certificate: str, **more: Any) -> DeliveryWorld:
    """A recipient who wants encryption to this certificate."""
    return DeliveryWorld(
        context, (replace(RECIPIENT, detail=DetailLevel.SMIME, certificate=certificate, **more),)
    )


@pytest.mark.skipif(not OPENSSL, reason="needs openssl")
def test_openssl_opens_and_verifies_what_went_out(context: DeliveryContext, tmp_path: Path) -> None:
    assert world_with(context, PETRA.pem + MIDDLE.pem, bundle=True).run()["outcome"] == "sent"
    [raw] = sent_bytes()
    for private in PRIVATE:
        if private not in ("Petra", "clinic.example"):
            assert private.encode() not in raw
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail.get_content_type() == "application/pkcs7-mime"
    assert mail["Subject"].startswith("Hospital admission: a patient of yours")

    (tmp_path / "mail.eml").write_bytes(raw)
    (tmp_path / "key.pem").write_text(PETRA.key_pem)
    (tmp_path / "reader.pem").write_text(PETRA.pem)
    (tmp_path / "root.pem").write_text(ROOT.pem)
    opened = openssl(
        tmp_path, "cms -decrypt -in mail.eml -recip reader.pem -inkey key.pem -out signed.eml"
    )
    assert opened == 0
    verified = openssl(
        tmp_path, "cms -verify -in signed.eml -CAfile root.pem -out content.eml -signer who.pem"
    )
    assert verified == 0
    assert (tmp_path / "who.pem").read_text().strip() in OURS.pem
    content = message_from_bytes((tmp_path / "content.eml").read_bytes(), policy=policy.default)
    assert content.get_content_type() == "multipart/mixed"
    text = content.get_body(("plain",))
    assert text is not None
    assert "Amaka Okonjo was admitted to hospital." in text.get_content()
    assert "fhir+json" in [part.get_content_subtype() for part in content.iter_attachments()]


def openssl(folder: Path, arguments: str) -> int:
    """The exit code of openssl in a folder."""
    assert OPENSSL
    done = subprocess.run(
        [OPENSSL, *arguments.split()], cwd=folder, capture_output=True, check=False
    )
    return done.returncode


WRONG_USE = mailbox(RECIPIENT.address, ROOT, use=[ExtendedKeyUsageOID.SERVER_AUTH])
NO_AUTHORITY = authority("Not an authority", ROOT, ca=False)


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        ("", "missing"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "unreadable"),
        (mailbox(RECIPIENT.address, ROOT, expired=True).pem, "expired"),
        (mailbox("somebody.else@clinic.example", ROOT).pem, "other_address"),
        (mailbox(RECIPIENT.address, OTHER).pem + OTHER.pem, "untrusted"),
        (PETRA.pem, "untrusted"),
        (mailbox(RECIPIENT.address, NO_AUTHORITY).pem + NO_AUTHORITY.pem, "untrusted"),
        (WRONG_USE.pem, "wrong_use"),
    ],
    # Never the certificates themselves: they differ from one process to the next.
    ids=["missing", "unreadable", "expired", "other", "untrusted", "cut", "no-ca", "wrong-use"],
)
def test_a_certificate_that_does_not_hold_gives_the_minimum_and_an_operators_item(
    context: DeliveryContext, certificate: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world = world_with(context, certificate, bundle=True)
    assert world.run()["outcome"] == "sent"
    check_minimal()
    [entry] = chain.entries(context, EVENT_ID)
    assert (entry["detail"], entry["reduced"]) == ("minimal", reason)
    known = address_problems.read(
        context, AddressProblemState.CERTIFICATE_BAD, world.item["endpoint_ref"]
    )
    assert known is not None
    assert (known.state, known.reason) == ("certificate_bad", reason)
    assert '"ReducedDetail":[1.0]' in capsys.readouterr().out.replace(" ", "")


def check_minimal() -> None:
    """One mail went, and it holds initials only."""
    [mail] = sent_mails()
    # Without the boundaries between parts, which are random digits.
    body = "\n".join(line for line in mail.as_string().splitlines() if "=====" not in line)
    assert "A. O." in body
    for private in ("Okonjo", "Amaka", "1958", "Barros", "embolism", "fhir"):
        assert private not in body


def test_a_revoked_certificate_is_not_used(context: DeliveryContext, aws: Any) -> None:
    gone: IssuedCertificate = mailbox(RECIPIENT.address, MIDDLE)
    document = {
        "certificate": OURS.pem,
        "key": OURS.key_pem,
        "anchors": ROOT.pem,
        "crls": revocations(MIDDLE, gone),
    }
    aws.client("secretsmanager").put_secret_value(
        SecretId="smime", SecretString=json.dumps(document)
    )
    world_with(context, gone.pem + MIDDLE.pem).run()
    check_minimal()
    assert chain.entries(context, EVENT_ID)[0]["reduced"] == "revoked"


def test_a_revocation_list_is_used_a_quarter_of_an_hour_after_it_came(
    context: DeliveryContext, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world_with(context, PETRA.pem + MIDDLE.pem).run()["outcome"] == "sent"
    secrets = aws.client("secretsmanager")
    document = json.loads(secrets.get_secret_value(SecretId="smime")["SecretString"])
    document["crls"] = revocations(MIDDLE, PETRA)
    secrets.put_secret_value(SecretId="smime", SecretString=json.dumps(document))
    later = replace(ADMISSION, event_id="9" * 32)
    wants = replace(RECIPIENT, detail=DetailLevel.SMIME, certificate=PETRA.pem + MIDDLE.pem)
    world = DeliveryWorld(context, (wants,), later)
    now = time.monotonic()
    monkeypatch.setattr("lambdas.common.function.context.monotonic", lambda: now + 901)
    world.run()
    [entry] = chain.entries(context, later.event_id)
    assert (entry["detail"], entry["reduced"]) == ("minimal", "revoked")


def test_without_a_key_of_ours_nothing_goes_in_the_clear(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENS_SMIME_SECRET", "")
    world_with(context, PETRA.pem + MIDDLE.pem).run()
    check_minimal()


def test_an_environment_may_forbid_full_detail_in_the_clear(
    context: DeliveryContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ENS_FULL_IN_CLEAR", "forbidden")
    DeliveryWorld(context).run()
    check_minimal()
