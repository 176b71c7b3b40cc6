"""TrackEncounter: the decision is in `event.json`, in the audit, and the same in a second run."""

from typing import Any
from unittest import mock

import pytest

from lambdas.common.audit import chain
from lambdas.common.contracts.document import read_as, to_document
from lambdas.common.contracts.encounters.encounter import DecisionReason
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.errors import (
    DependencyUnavailableError,
    IdentityConflictError,
    UnprocessableMessageError,
)
from lambdas.encounters.context import EncountersContext, EncountersSettings
from lambdas.parse_message.read_event import read_event
from lambdas.track_encounter.handler import lambda_handler
from tests.conftest import SAMPLES
from tests.support import configuration
from tests.support.lambda_context import LambdaContext
from tests.support.vault import read_json, write_json


def task_of(context: EncountersContext, name: str, number: int, **replaced: str) -> dict[str, Any]:
    """The task of a sample message as the event of this number; `event.json` is in the vault."""
    raw = (SAMPLES / f"{name}.hl7").read_bytes()
    for old, new in replaced.items():
        raw = raw.replace(old.encode(), new.encode())
    event = read_event(raw, f"{number:032x}", "northgen")
    version = write_json(context, event.event_id, "event.json", to_document(event)).version_id
    return {
        "envelope": {
            "event_id": event.event_id,
            "sender": "northgen",
            "received_at": "2026-11-24T12:00:00.000Z",
        },
        "parsed": {"version_id": version},
        "execution_arn": "arn",
        "attempt": 0,
    }


@pytest.fixture
def context(aws: Any) -> EncountersContext:
    """The context of TrackEncounter with moto's clients."""
    return EncountersContext(EncountersSettings.from_environment())


def run(context: EncountersContext, task: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = lambda_handler.with_context(context)(
        task, LambdaContext("TrackEncounter")
    )
    return result


def decided(context: EncountersContext, result: dict[str, Any]) -> PatientEvent:
    """The event as the later steps read it."""
    document = read_json(context, result["event_id"], "event.json", result["version_id"])
    return read_as(PatientEvent, document)


def test_an_admission_is_decided_written_and_audited(context: EncountersContext) -> None:
    result = run(context, task_of(context, "admission", 1))
    event = decided(context, result)
    assert (result["event_kind"], result["notifiable"]) == ("admission", True)
    assert (event.event_kind, event.notifiable) == (EventKind.ADMISSION, True)
    assert event.decision is not None
    assert result["encounter_ref"] == event.decision.encounter_id
    (entry,) = chain.entries(context, result["event_id"])
    assert (entry["action"], entry["outcome"], entry["event_kind"]) == (
        "DECIDED",
        "ok",
        "admission",
    )
    # EVN-6 of the sample, and the time of receipt: `ens report cop` computes how late events arrive.
    assert entry["event_time"] == "2026-11-23T13:12:00.000Z"
    assert entry["received_at"] == "2026-11-24T12:00:00.000Z"


def test_the_same_admission_under_another_control_id_tells_nobody(
    context: EncountersContext,
) -> None:
    first = run(context, task_of(context, "admission", 1))
    second = run(context, task_of(context, "admission", 2))
    assert (second["event_kind"], second["notifiable"]) == ("", False)
    assert second["encounter_ref"] == first["encounter_ref"]
    (entry,) = chain.entries(context, second["event_id"])
    assert (entry["action"], entry["decision_reason"]) == (
        "NOT_NOTIFIABLE",
        DecisionReason.DUPLICATE,
    )


def test_a_second_run_returns_the_first_decision(context: EncountersContext) -> None:
    task = task_of(context, "admission", 1)
    first, second = run(context, task), run(context, task)
    assert decided(context, first).decision == decided(context, second).decision


def test_a_duplicate_is_not_looked_at_again(context: EncountersContext) -> None:
    task = {**task_of(context, "admission", 1), "duplicate": True}
    assert (run(context, task)["duplicate"], run(context, task)["notifiable"]) == (True, False)
    assert chain.entries(context, f"{1:032x}") == []


def test_a_sender_newer_than_the_function_s_document_leaves_no_stay_without_its_settings(
    context: EncountersContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stay would lack the sender's classes, and a second run returns the first run's decision."""
    configuration.deploy(configuration.document({"name": "west"}), monkeypatch)
    older = EncountersContext(EncountersSettings.from_environment())
    with pytest.raises(DependencyUnavailableError, match="no sender northgen"):
        run(older, task_of(older, "admission", 1))
    table = context.settings.encounters_table
    assert context.client("dynamodb").scan(TableName=table)["Items"] == []


def test_a_stay_of_another_patient_is_an_identity_conflict(context: EncountersContext) -> None:
    run(context, task_of(context, "admission", 1))
    with pytest.raises(Exception, match="PID-3 names another patient"):
        run(context, task_of(context, "admission", 2, H00412="H00999"))


def task_of_lines(context: EncountersContext, number: int, *lines: str) -> dict[str, Any]:
    """The task of a message of these segments; `event.json` is in the vault."""
    event = read_event("\r".join(lines).encode(), f"{number:032x}", "northgen")
    written = write_json(context, event.event_id, "event.json", to_document(event))
    envelope = {
        "event_id": event.event_id,
        "sender": "northgen",
        "received_at": "2026-11-24T12:00:00.000Z",
    }
    return {
        "envelope": envelope,
        "parsed": {"version_id": written.version_id},
        "execution_arn": "arn",
        "attempt": 0,
    }


def header(trigger_event: str, minute: int) -> tuple[str, str]:
    time = f"202611231{minute:03}00+0000"
    return (
        f"MSH|^~\\&|ADTSYS|NORTHGEN|||{time}||ADT^{trigger_event}|{minute}|P|2.5.1",
        f"EVN|{trigger_event}|{time}",
    )


def test_every_merge_of_one_message_makes_two_identifiers_one_patient(
    context: EncountersContext,
) -> None:
    for number in (1, 2, 3):
        admission = (f"PID|||H{number}^^^NG", f"PV1||I|{'|' * 15}|V{number}")
        run(context, task_of_lines(context, number, *header("A01", number), *admission))
    merges = [f"PID|||S{n}^^^NG\rMRG|H{n}^^^NG" for n in (1, 2, 3)]
    merged = run(context, task_of_lines(context, 4, *header("A40", 10), *merges))
    assert not merged["notifiable"]
    assert run(context, task_of_lines(context, 4, *header("A40", 10), *merges)) == {
        **merged,
        "version_id": mock.ANY,
    }

    for number in (1, 2, 3):
        end = (f"PID|||S{number}^^^NG", f"PV1||I|{'|' * 15}|V{number}")
        ended = run(context, task_of_lines(context, 4 + number, *header("A03", 20), *end))
        assert ended["event_kind"] == "discharge"
        with pytest.raises(IdentityConflictError):
            other = (f"PID|||S{number % 3 + 1}^^^NG", f"PV1||I|{'|' * 15}|V{number}")
            run(context, task_of_lines(context, 8 + number, *header("A08", 30), *other))


def test_every_account_of_one_message_gets_its_other_number(context: EncountersContext) -> None:
    for number in (1, 2):
        admission = (f"PID|||H{number}^^^NG{'|' * 15}A{number}", "PV1||I")
        run(context, task_of_lines(context, number, *header("A01", number), *admission))
    changes = [f"PID|||H{n}^^^NG{'|' * 15}B{n}\rMRG|H{n}^^^NG||A{n}" for n in (1, 2)]
    run(context, task_of_lines(context, 3, *header("A41", 10), *changes))

    for number in (1, 2):
        end = (f"PID|||H{number}^^^NG{'|' * 15}B{number}", "PV1||I")
        ended = run(context, task_of_lines(context, 3 + number, *header("A03", 20), *end))
        assert ended["event_kind"] == "discharge"


def test_a_move_of_several_stays_is_refused_before_anything_is_decided(
    context: EncountersContext,
) -> None:
    moves = ("PID|||H9^^^NG", "MRG|H1^^^NG||||V1", "PV1||I", "MRG|H1^^^NG||||V2", "PV1||I")
    with pytest.raises(UnprocessableMessageError, match="several stays"):
        run(context, task_of_lines(context, 1, *header("A45", 10), *moves))
