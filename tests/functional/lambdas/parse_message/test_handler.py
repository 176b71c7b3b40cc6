"""ParseMessage against moto: the audit, the status, the document, and what goes into the state."""

import io
import json
from typing import Any

import boto3
import pytest

from lambdas.common import status
from lambdas.common.audit import chain, verification
from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.errors import (
    DependencyUnavailableError,
    UnexpectedError,
    UnprocessableMessageError,
)
from lambdas.parse_message.context import ParseContext
from lambdas.parse_message.handler import lambda_handler
from tests.support import configuration
from tests.support.audit import file_damaged
from tests.support.contexts import refreshed
from tests.support.messages import sample, vaulted, with_pdf
from tests.support.private import without_digests
from tests.support.vault import read_json

EXECUTION = "arn:aws:states:us-east-1:123456789012:express:ens:run-1"


def run(context: ParseContext, envelope: dict[str, Any], attempt: int = 0) -> dict[str, Any]:
    task = {"envelope": envelope, "execution_arn": EXECUTION, "attempt": attempt}
    result: dict[str, Any] = lambda_handler.with_context(context)(task, None)
    return result


def actions(context: ParseContext, envelope: dict[str, Any]) -> list[str]:
    return [entry["action"] for entry in chain.entries(context, envelope["event_id"])]


def entry(context: ParseContext, envelope: dict[str, Any], action: str) -> dict[str, Any]:
    return next(e for e in chain.entries(context, envelope["event_id"]) if e["action"] == action)


def complete(envelope: dict[str, Any]) -> None:
    boto3.client("dynamodb").update_item(
        TableName="status",
        Key={"event_id": {"S": envelope["event_id"]}},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": {"S": "COMPLETED"}},
    )


def test_an_admission_is_parsed_audited_and_handed_on(context: ParseContext, aws: Any) -> None:
    envelope = vaulted(sample("admission"))
    result = run(context, envelope)

    version_id = result.pop("version_id")
    assert result == {
        "encounter_ref": "",
        "event_id": envelope["event_id"],
        "sender": "northgen",
        "received_at": envelope["received_at"],
        "trigger_event": "A01",
        "event_kind": "",
        "notifiable": False,
        "duplicate": False,
        "changes_identity": False,
    }
    document = read_json(context, envelope["event_id"], "event.json", version_id)
    assert read_as(PatientEvent, document).patient.name.family == "Okafor"

    assert actions(context, envelope) == ["RECEIVED", "PARSED"]
    received, parsed = chain.entries(context, envelope["event_id"])
    assert received["message_control_id"] == "NG-20261123-000731"
    assert received["received_at"] == envelope["received_at"]
    assert received["documents"][0]["digest"] == envelope["digest"]
    assert parsed["documents"][0]["version_id"] == version_id
    assert parsed["trigger_event"] == "A01"
    assert parsed["counts"] == {"notes": 4, "skipped_notes": 0, "warnings": 0}
    assert verification.verify(context, envelope["event_id"]).holds

    item = status.read(context, envelope["event_id"])
    assert item is not None
    assert (item.status, item.execution_arn) == ("OPEN", EXECUTION)


def test_the_senders_time_zone_dates_a_time_without_offset(context: ParseContext, aws: Any) -> None:
    envelope = vaulted(sample("ed_registration"))
    run(context, envelope)
    event = read_as(PatientEvent, read_json(context, envelope["event_id"], "event.json"))
    assert event.visit.admitted_at == "2026-11-23T02:05-04:00"


def test_the_senders_file_decides_how_an_ambiguous_date_is_read(
    context: ParseContext, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"name": "northgen", "date_order": "dmy"}
    configuration.deploy(json.dumps({"version": 1, "senders": [entry]}), monkeypatch)
    envelope = vaulted(sample("admission").replace(b"|19580214|", b"|03/04/1961|"))
    run(refreshed(context), envelope)
    event = read_json(context, envelope["event_id"], "event.json")
    assert event["patient"]["birth_date"] == "1961-04-03"


@pytest.mark.parametrize("name", ["bed_move", "merge"])
def test_what_notifies_nobody_by_itself_is_parsed_like_any_other(
    context: ParseContext, aws: Any, name: str
) -> None:
    envelope = vaulted(sample(name))
    result = run(context, envelope)
    assert (result["notifiable"], result["duplicate"]) == (False, False)
    assert actions(context, envelope) == ["RECEIVED", "PARSED"]


def test_a_completed_event_is_a_duplicate_and_stays_completed(
    context: ParseContext, aws: Any
) -> None:
    envelope = vaulted(sample("admission"))
    first = run(context, envelope)
    complete(envelope)

    result = run(context, envelope)

    assert set(result) == set(first)
    assert (result["duplicate"], result["notifiable"]) == (True, False)
    assert actions(context, envelope) == ["RECEIVED", "PARSED", "DUPLICATE"]
    item = status.read(context, envelope["event_id"])
    assert item is not None
    assert item.status == "COMPLETED"


def test_a_replay_by_name_passes_the_duplicate_check(context: ParseContext, aws: Any) -> None:
    envelope = vaulted(sample("admission"))
    run(context, envelope)
    complete(envelope)
    result = run(context, {**envelope, "replay": "ines"})
    assert not result["duplicate"]
    assert actions(context, envelope) == ["RECEIVED", "PARSED", "PARSED"]


@pytest.mark.parametrize("stage", ["OPEN", "FAILED"])
def test_an_event_that_did_not_complete_runs_again(
    context: ParseContext, aws: Any, stage: str
) -> None:
    envelope = vaulted(sample("admission"))
    run(context, envelope)
    boto3.client("dynamodb").put_item(
        TableName="status",
        Item={"event_id": {"S": envelope["event_id"]}, "status": {"S": stage}},
    )
    assert run(context, envelope)["version_id"]
    assert actions(context, envelope).count("RECEIVED") == 1


@pytest.mark.parametrize(
    ("name", "message_control_id"),
    [
        ("no_pid", "NG-20261123-000805"),
        ("wrong_version", "NG-20261123-000806"),
        ("not_hl7", None),
    ],
)
def test_what_cannot_be_parsed_is_received_and_refused_by_name(
    context: ParseContext, aws: Any, name: str, message_control_id: str | None
) -> None:
    envelope = vaulted(sample(name))
    with pytest.raises(UnprocessableMessageError) as refused:
        run(context, envelope)
    assert "Okafor" not in str(refused.value)
    assert actions(context, envelope) == ["RECEIVED", "FAILED"]
    assert entry(context, envelope, "RECEIVED").get("message_control_id") == message_control_id
    assert entry(context, envelope, "FAILED")["error_name"] == "UnprocessableMessageError"


def test_bytes_other_than_the_envelope_says_are_received_and_refused(
    context: ParseContext, aws: Any
) -> None:
    envelope = {**vaulted(sample("admission")), "digest": "k1." + "0" * 32}
    with pytest.raises(UnprocessableMessageError, match="digest"):
        run(context, envelope)
    assert actions(context, envelope) == ["RECEIVED", "FAILED"]


def test_a_message_that_is_not_in_the_vault_is_our_fault_not_the_senders(
    context: ParseContext, aws: Any
) -> None:
    envelope = vaulted(sample("admission"))
    missing = {**envelope, "key": "events/none/message.hl7", "version_id": "none"}
    with pytest.raises(UnexpectedError):
        run(context, missing)


def test_another_message_with_the_same_control_id_is_processed_and_flagged_once(
    context: ParseContext, aws: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    first = vaulted(sample("admission"))
    other = vaulted(sample("admission").replace(b"Amara", b"Amarah"))
    run(context, first)
    assert run(context, other)["version_id"]
    run(context, other, attempt=1)
    run(context, first, attempt=1)
    assert actions(context, other).count("CONTROL_ID_REUSED") == 1
    assert "CONTROL_ID_REUSED" not in actions(context, first)
    assert capsys.readouterr().out.count('"ControlIdReused":[1.0]') == 1


def test_two_senders_may_use_the_same_control_id(context: ParseContext, aws: Any) -> None:
    run(context, vaulted(sample("admission")))
    other = vaulted(sample("admission") + b"NTE|2||x\r", sender="aws-blog")
    unknown = vaulted(sample("admission") + b"NTE|2||y\r", sender="unknown")
    stranger = vaulted(sample("admission") + b"NTE|2||z\r", sender="unknown")
    for envelope in (other, unknown, stranger):
        assert run(context, envelope)["version_id"]
        assert "CONTROL_ID_REUSED" not in actions(context, envelope)


def test_a_control_id_longer_than_any_key_is_still_received(
    context: ParseContext, aws: Any
) -> None:
    raw = sample("admission").replace(b"NG-20261123-000731", b"9" * 5_000)
    envelope = vaulted(raw)
    assert run(context, envelope)["version_id"]
    assert entry(context, envelope, "RECEIVED")["message_control_id"] == "9" * 199


def test_a_300_kb_message_passes(context: ParseContext, aws: Any) -> None:
    result = run(context, vaulted(with_pdf(300)))
    assert result["trigger_event"] == "A01"


def test_messages_wait_for_a_list_of_senders_that_can_be_read(
    context: ParseContext, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration.deploy('{"version": 1, "senders": [1]}', monkeypatch)
    with pytest.raises(DependencyUnavailableError, match="configuration: "):
        run(refreshed(context), vaulted(sample("admission")))


def test_a_sender_newer_than_the_function_s_document_waits_and_is_not_read_without_its_settings(
    context: ParseContext, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Receivers read a new document within a minute, functions when the deployment has replaced them."""
    configuration.deploy(configuration.document({"name": "west"}), monkeypatch)
    envelope = vaulted(sample("admission"))
    with pytest.raises(DependencyUnavailableError, match="no sender northgen"):
        run(refreshed(context), envelope)
    assert actions(context, envelope) == ["RECEIVED", "FAILED"]


PHI = ("Okafor", "OKAFOR", "Amara", "H00412", "1958", "Lindqvist", "V884305", "pneumonia")


def test_no_phi_in_state_log_metric_or_audit(
    context: ParseContext, aws: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    envelope = vaulted(sample("phi_in_ids"), sender="unknown")
    result = run(context, envelope)
    entries = chain.entries(context, envelope["event_id"])
    assert entries[0].pop("message_control_id") == "H00412-0001"
    printed = capsys.readouterr()
    for written in (json.dumps(result), json.dumps(entries), printed.out + printed.err):
        assert not [value for value in PHI if value in without_digests(written)]


def test_each_kind_of_warning_is_logged_once_with_its_sender_and_found_by_the_audits_index(
    context: ParseContext,
    aws: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(lambda_handler._logger.registered_handler, "stream", log)
    envelope = vaulted(sample("admission").replace(b"|19580214|F", b"|14 Feb|Q"))
    run(context, envelope)
    parsed = entry(context, envelope, "PARSED")
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    logged = [(line["sender"], line["warning_code"]) for line in lines if "warning_code" in line]
    kinds = dict.fromkeys(warning["code"] for warning in parsed["warnings"])
    assert logged == [("northgen", kind) for kind in kinds]
    assert {"not_a_date", "unknown_code"} <= set(kinds)
    (metrics,) = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert metrics["Warnings"] == [len(parsed["warnings"])]
    assert metrics["MessagesWithWarnings"] == [1]
    assert parsed["outcome_time"] == f"warned#{parsed['time']}"


def test_a_damaged_audit_item_under_an_event_does_not_stop_it(
    context: ParseContext, aws: Any
) -> None:
    envelope = vaulted(sample("admission"))
    for members in ({"action": "RECEIVED"}, {}):
        file_damaged(envelope["event_id"], **members)
        assert run(context, envelope)["sender"] == "northgen"
