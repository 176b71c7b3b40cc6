"""TrackEncounter: the decision is in `event.json`, in the audit, and the same in a second run."""

from typing import Any

import pytest

from lambdas.common.audit import chain
from lambdas.common.contracts.document import read_as, to_document
from lambdas.common.contracts.encounters.encounter import DecisionReason
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.encounters.context import EncountersContext, EncountersSettings
from lambdas.parse_message.read_event import read_event
from lambdas.track_encounter.handler import lambda_handler
from tests.conftest import SAMPLES
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


def test_a_stay_of_another_patient_is_an_identity_conflict(context: EncountersContext) -> None:
    run(context, task_of(context, "admission", 1))
    with pytest.raises(Exception, match="PID-3 names another patient"):
        run(context, task_of(context, "admission", 2, H00412="H00999"))
