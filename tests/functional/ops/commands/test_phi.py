"""`ens phi` shows patient data with a reason, after an entry in the audit."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import Result

from lambdas.common.audit import chain
from lambdas.common.aws.items import to_item
from lambdas.common.clock import now
from lambdas.delivery.ledger.context import LedgerContext
from ops.audit.looks import chain_of
from tests.support.deployment import ME

Ens = Callable[..., Result]
EVENT, DELIVERY = "5e" * 16, "d1" * 16
KEY = "rejected/2026-11-26/0a1b"
NAME = "Quillfeather"
MESSAGE = f"MSH|^~\\&|A|B|||2026||ADT^A01|1|P|2.5\rPID|1||42||{NAME}^Z\x1b[31m\r".encode()
MAIL = f"From: a@b.example\r\nSubject: s\r\n\r\nDear Dr Lind,\r\n{NAME} left\r\n".encode()
WHY = ("--reason", "ticket 4711")
READINGS = [
    (("phi", "message", EVENT), "message", EVENT),
    (("phi", "mail", DELIVERY), "mail", DELIVERY),
    (("phi", "rejected", KEY), "rejected_message", KEY),
]


@pytest.fixture(autouse=True)
def stored(aws: Any, deployment: object) -> None:
    """A message, a mail and a rejected message in the vault."""
    s3 = aws.client("s3")
    s3.put_object(Bucket="vault", Key=f"events/{EVENT}/message.hl7", Body=MESSAGE)
    s3.put_object(Bucket="vault", Key=KEY, Body=MESSAGE, Metadata={"reason": "oversize"})
    key = f"events/{EVENT}/mail/{DELIVERY}.eml"
    version = s3.put_object(Bucket="vault", Key=key, Body=MAIL)["VersionId"]
    item = {
        "delivery_id": DELIVERY,
        "event_id": EVENT,
        "state": "sent",
        "document": {"key": key, "version_id": version, "sha256": ""},
    }
    aws.client("dynamodb").put_item(TableName="ledger", Item=to_item(item))


def entries(context: LedgerContext) -> list[dict[str, Any]]:
    return chain.entries(context, chain_of(now()[:10]))


@pytest.mark.parametrize(("command", "looked_at", "looked_at_id"), READINGS)
def test_patient_data_is_shown_with_a_warning_and_an_entry_that_names_person_and_reason(
    command: tuple[str, ...], looked_at: str, looked_at_id: str, context: LedgerContext, ens: Ens
) -> None:
    result = ens(*command, *WHY)
    assert result.exit_code == 0
    assert NAME in result.stdout
    assert "Patient data" in result.stderr
    (entry,) = entries(context)
    assert entry["actor"] == f"operator:{ME}"
    assert (entry["action"], entry["outcome"]) == ("PATIENT_DATA_READ", "ok")
    assert (entry["looked_at"], entry["looked_at_id"]) == (looked_at, looked_at_id)
    assert entry["look_reason"] == "ticket 4711"
    assert NAME not in str(entry)
    listed = " ".join(ens("audit", "looks").output.split())
    assert "moto" in listed
    assert "ticket 4711" in listed
    assert "intact" in ens("audit", "verify", chain_of(now()[:10])).output


@pytest.mark.parametrize("command", [command for command, _, _ in READINGS])
def test_without_a_reason_nothing_is_shown(
    command: tuple[str, ...], context: LedgerContext, ens: Ens
) -> None:
    for reason in ((), ("--reason", " "), ("--reason", "a\x1b[2J"), ("--reason", "x" * 201)):
        result = ens(*command, *reason)
        assert result.exit_code != 0
        assert NAME not in result.output
    assert entries(context) == []


@pytest.mark.parametrize("command", [command for command, _, _ in READINGS])
def test_where_the_entry_cannot_be_written_nothing_is_read_or_shown(
    command: tuple[str, ...], context: LedgerContext, ens: Ens, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    refused = ClientError({"Error": {"Code": "AccessDeniedException"}}, "TransactWriteItems")
    monkeypatch.setattr(chain, "append", lambda *_: (_ for _ in ()).throw(refused))
    monkeypatch.setattr("ops.patient_data._object", lambda *_: read.append(1))
    result = ens(*command, *WHY)
    assert result.exit_code == 1
    assert "may not call TransactWriteItems" in " ".join(result.output.split())
    assert (read, NAME in result.output) == ([], False)


def test_a_reading_that_finds_nothing_is_audited_as_failed(
    context: LedgerContext, ens: Ens
) -> None:
    result = ens("phi", "message", "0" * 32, *WHY)
    assert (result.exit_code, "The vault has no object" in result.output) == (1, True)
    assert [entry["outcome"] for entry in entries(context)] == ["ok", "failed"]


def test_a_text_that_is_no_id_does_not_reach_the_audit(context: LedgerContext, ens: Ens) -> None:
    for kind in ("message", "mail", "rejected"):
        assert ens("phi", kind, f"{NAME}, Z.", *WHY).exit_code == 1
    assert entries(context) == []


def test_a_message_cannot_steer_the_terminal(ens: Ens) -> None:
    shown = ens("phi", "message", EVENT, *WHY).stdout
    assert shown.splitlines()[1] == f"PID|1||42||{NAME}^Z\\x1b[31m"
    assert "\x1b" not in shown


def test_a_file_is_written_only_when_asked_for_new_and_for_its_owner_alone(
    ens: Ens, tmp_path: Path
) -> None:
    file = tmp_path / "mail.eml"
    result = ens("phi", "mail", DELIVERY, *WHY, "--output", str(file))
    assert NAME not in result.output
    assert file.read_bytes() == MAIL
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = ens("phi", "mail", DELIVERY, *WHY, "--output", str(file))
    assert (again.exit_code, "File exists" in again.output) == (1, True)
