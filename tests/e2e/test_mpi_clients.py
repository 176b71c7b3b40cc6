"""From MLLP to mail with the patient looked up in an index outside, over its own protocol."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.local_system import LocalSystem
from tests.support.messages import SAMPLES, of_another_stay

LINDQVIST, CHEN = "petra.lindqvist@millclinic.example", "wei.chen@heartcare.example"


@pytest.fixture(scope="module", params=["pixpdq", "fhir"])
def outside(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalSystem]:
    """A local system whose patients are an index's."""
    system = LocalSystem(tmp_path_factory.mktemp("mpi"), "--no-sample", mpi=request.param)
    try:
        system.wait_until_ready()
        yield system
    finally:
        system.stop()


def told(system: LocalSystem, event: str) -> list[str]:
    return sorted(address for mail in system.mails(event) for address in mail["to"])


def test_the_index_names_the_patient_and_the_circle_of_care_is_told(outside: LocalSystem) -> None:
    event = outside.process_message(SAMPLES / "two_recipients.hl7")

    assert event["status"] == "COMPLETED"
    assert told(outside, event["event_id"]) == [LINDQVIST, CHEN]
    actions = [entry["action"] for entry in event["entries"]]
    assert actions.count("QUERIED") == 1


def test_a_number_from_before_a_merge_still_reaches_the_provider(outside: LocalSystem) -> None:
    message = (SAMPLES / "admission.hl7").read_bytes()
    message = of_another_stay(message.replace(b"H00412", b"H00977"), b"NG-MERGED")

    event = outside.process_message(message)

    assert told(outside, event["event_id"]) == [LINDQVIST]


def queries(event: dict[str, Any]) -> list[bool]:
    """Of each look-up of an event, whether it was answered by what was kept."""
    return [entry["from_cache"] for entry in event["entries"] if entry["action"] == "QUERIED"]


def test_an_answer_is_kept_until_somebody_merges_the_patient(outside: LocalSystem) -> None:
    def admitted(control_id: bytes) -> dict[str, Any]:
        message = (SAMPLES / "admission.hl7").read_bytes()
        return outside.process_message(of_another_stay(message, control_id))

    first = admitted(b"NG-KEPT-1")
    assert queries(admitted(b"NG-KEPT-2")) == [True]
    merge = outside.process_message(SAMPLES / "merge.hl7")
    assert merge["status"] == "COMPLETED"
    assert "IDENTITY_CHANGED" in [entry["action"] for entry in merge["entries"]]
    last = admitted(b"NG-KEPT-3")
    assert queries(last) == [False]
    assert told(outside, first["event_id"]) == told(outside, last["event_id"]) == [LINDQVIST]


@pytest.mark.parametrize(
    ("sample", "error"),
    [("unknown_patient", "IdentityNotFoundError"), ("conflict", "IdentityConflictError")],
)
def test_who_is_nobody_or_somebody_else_is_not_told_of(
    outside: LocalSystem, sample: str, error: str
) -> None:
    event = outside.process_message(SAMPLES / f"{sample}.hl7")

    assert (event["status"], event["error_name"]) == ("FAILED", error)
    assert told(outside, event["event_id"]) == []


def test_nothing_of_the_patient_is_in_the_logs(outside: LocalSystem) -> None:
    logs = Path(outside.folder, "logs").rglob("*.log")
    said = "".join(file.read_text("utf-8", "replace") for file in logs)
    assert [text for text in ("Okafor", "H00412", "Rehak", "19580214") if text in said] == []
