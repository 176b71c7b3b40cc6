"""A cancelled event: told to exactly those who were told of it, and once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lambdas.common import vault
from lambdas.common.models import Identities, Patient, PatientEvent, PatientIdentifier
from lambdas.deliver_notification.handler import lambda_handler as deliver
from lambdas.lookup_identities.handler import lambda_handler as look_up
from lambdas.lookup_identities.registry_items import items
from tests.functional.deliver_notification.world import ADMISSION, Context, sent_mails
from tests.support.logs import on_stdout

PERSON = Patient(
    identifiers=(PatientIdentifier("H1", "NORTHGEN"),),
    name=ADMISSION.patient.name,
    birth_date="1958-02-14",
    sex="F",
)
ENCOUNTER = "k1.encounter-of-one-stay"


def event(number: int, kind: str) -> PatientEvent:
    """An event of the one stay."""
    return replace(
        ADMISSION,
        event_id=f"{number:032x}",
        kind=kind,
        patient=PERSON,
        recorded_at=f"2026-11-23T1{number}:00:00-04:00",
    )


@pytest.fixture
def registry(aws: Any) -> Callable[..., None]:
    """Files the patient with these providers in care, all others out of it."""
    from lambdas.common.aws import client
    from lambdas.common.items import to_item
    from lambdas.lookup_identities.registry_rows import COLUMNS

    def row(file: str, **cells: str) -> dict[str, str]:
        return {**dict.fromkeys(COLUMNS[file], ""), **cells}

    def file(*active: str) -> None:
        providers = ("petra", "wei")
        found = items(
            [
                row(
                    "patients.csv",
                    patient_id="p",
                    family="Okonjo",
                    birth_date="1958-02-14",
                    sex="F",
                )
            ],
            [row("identifiers.csv", authority="NORTHGEN", value="H1", patient_id="p")],
            [
                row(
                    "providers.csv",
                    provider_id=who,
                    family=who,
                    email=f"{who}@clinic.example",
                    detail="full",
                )
                for who in providers
            ],
            [
                row(
                    "relationships.csv",
                    patient_id="p",
                    provider_id=who,
                    relationship="care_team",
                    active="yes" if who in active else "no",
                )
                for who in providers
            ],
        )
        for item in found:
            client("dynamodb").put_item(TableName="registry", Item=to_item(item))

    return file


def run(patient_event: PatientEvent, encounter: str = ENCOUNTER) -> list[str]:
    """Looks up and delivers as the workflow does; who was to be told."""
    written = vault.write_document(
        patient_event.event_id, "event.json", patient_event.to_dict()
    ).version_id
    task = {
        "envelope": {"event_id": patient_event.event_id, "sender": "northgen"},
        "parsed": {"encounter_ref": encounter, "version_id": written, "kind": patient_event.kind},
        "execution_arn": "arn",
        "attempt": 0,
    }
    with on_stdout("LookupIdentities"), on_stdout("DeliverNotification"):
        found = look_up(task, Context())
        identities = {"version_id": found["version_id"], "patient_ref": found["patient_ref"]}
        for recipient in found["recipients"]:
            deliver(
                {
                    **task,
                    "identities": identities,
                    "clinical": {"outcome": "nothing_to_read"},
                    "recipient_ref": recipient["recipient_ref"],
                },
                Context(),
            )
    document = vault.read_document(patient_event.event_id, "identities.json")
    return [recipient.address for recipient in Identities.from_dict(document).recipients]


def test_who_was_told_is_told_of_the_cancellation_and_nobody_else(registry: Any) -> None:
    registry("petra")
    assert run(event(1, "admission")) == ["petra@clinic.example"]
    registry("wei")  # Petra has left the circle of care meanwhile, Wei has come
    assert run(event(2, "cancel_admission")) == ["petra@clinic.example"]

    first, second = sent_mails()
    assert second["Subject"].startswith("Admission cancelled:")
    text = second.get_body(("plain",))
    assert text is not None
    shown = " ".join(text.get_content().split())
    assert "First notice: reference 00000000, sent" in shown
    assert "You were told of the event that is withdrawn here." in shown
    assert first["To"] == second["To"] == "petra@clinic.example"


def test_a_cancellation_of_what_nobody_was_told_tells_nobody(registry: Any) -> None:
    registry("petra")
    assert run(event(1, "cancel_admission")) == []
    assert run(event(2, "transfer")) == ["petra@clinic.example"]
    assert run(event(3, "cancel_discharge")) == []
    assert run(event(4, "cancel_transfer"), encounter="") == []
    assert run(event(5, "cancel_transfer"), encounter="k1.another") == []
    assert len(sent_mails()) == 1


def test_what_was_withdrawn_is_not_withdrawn_twice(registry: Any) -> None:
    registry("petra")
    run(event(1, "admission"))
    assert run(event(2, "cancel_admission")) == ["petra@clinic.example"]
    assert run(event(3, "cancel_admission")) == []
    assert run(event(4, "admission")) == ["petra@clinic.example"]
    assert run(event(5, "cancel_admission")) == ["petra@clinic.example"]
    assert len(sent_mails()) == 4


def test_another_patients_stay_under_the_same_number_is_left_alone(registry: Any) -> None:
    registry("petra")
    run(event(1, "admission"))
    from lambdas.common.aws import client
    from lambdas.common.deliveries import ledger_table

    [item] = client("dynamodb").scan(TableName=ledger_table())["Items"]
    item["patient_ref"] = {"S": "k1.somebody-else"}
    client("dynamodb").put_item(TableName=ledger_table(), Item=item)
    assert run(event(2, "cancel_admission")) == []
