"""Events of one patient's stay, looked up and delivered as the workflow does, over a registry of the test."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.common.aws.items import to_item
from lambdas.common.clock import iso
from lambdas.common.contracts.document import read_as, to_document
from lambdas.common.contracts.encounters.encounter import Audience, Decision, Notice
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import CANCELS, EventKind
from lambdas.common.contracts.message.patient import Patient, PatientIdentifier
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.delivery.context import DeliveryContext
from lambdas.lookup_identities.context import LookupContext, LookupSettings
from lambdas.lookup_identities.handler import lambda_handler as look_up
from lambdas.registry.importing.columns import COLUMNS
from lambdas.registry.importing.plan import items
from tests.functional.lambdas.deliver_notification.world import ADMISSION, beside
from tests.support.lambda_context import LambdaContext
from tests.support.logs import on_stdout
from tests.support.vault import read_json, write_json

Row = dict[str, str]

LATER_TODAY = iso(datetime.now(UTC) + timedelta(hours=6))
"""The end of a notice's waiting time, from the import of this module: beyond any run of the tests."""

PERSON = Patient(
    identifiers=(PatientIdentifier("H1", "NORTHGEN"),),
    name=ADMISSION.patient.name,
    birth_date="1958-02-14",
    sex="F",
)
ENCOUNTER = "k1.encounter-of-one-stay"
PATIENT: Row = {"patient_id": "p", "family": "Okonjo", "birth_date": "1958-02-14", "sex": "F"}
IDENTIFIER: Row = {"authority": "NORTHGEN", "value": "H1", "patient_id": "p"}
"""`PERSON` in the registry's files."""


def in_care(provider_id: str, patient_id: str = "p", *, active: bool = True) -> Row:
    """A row of relationships.csv: the provider is in the patient's care team, or was."""
    return {
        "patient_id": patient_id,
        "provider_id": provider_id,
        "relationship": "care_team",
        "active": "yes" if active else "no",
    }


def file_registry(
    context: DeliveryContext,
    providers: Iterable[Row],
    relationships: Iterable[Row],
    *,
    patients: Iterable[Row] = (PATIENT,),
    identifiers: Iterable[Row] = (IDENTIFIER,),
) -> None:
    """Files these rows in the registry's table; columns that a row leaves out are empty."""

    def whole(file: str, rows: Iterable[Row]) -> list[Row]:
        return [dict.fromkeys(COLUMNS[file], "") | row for row in rows]

    found = items(
        whole("patients.csv", patients),
        whole("identifiers.csv", identifiers),
        whole("providers.csv", providers),
        whole("relationships.csv", relationships),
    )
    for item in found:
        context.client("dynamodb").put_item(TableName="registry", Item=to_item(item))


@pytest.fixture
def registry(context: DeliveryContext) -> Callable[..., None]:
    """Files the patient with these providers in care, all others out of it."""

    def file(*active: str) -> None:
        providers = ("petra", "wei")
        file_registry(
            context,
            [
                {
                    "provider_id": who,
                    "family": who,
                    "email": f"{who}@clinic.example",
                    "detail": "full",
                }
                for who in providers
            ],
            [in_care(who, active=who in active) for who in providers],
        )

    return file


def event(number: int, kind: EventKind, about: tuple[int, ...] = (1,)) -> PatientEvent:
    """An event of the one stay; a cancellation is about the events of these numbers."""
    cancels = kind in CANCELS
    notice = Notice(
        kind=kind,
        audience=Audience.TOLD if cancels else Audience.TEAM,
        about=tuple(f"{one:032x}" for one in about) if cancels else (),
    )
    return replace(
        ADMISSION,
        decision=Decision(
            event_id=f"{number:032x}",
            trigger_event="",
            decided_at=received_at(number),
            encounter_id=ENCOUNTER,
            notices=(notice,) if about or not cancels else (),
        ),
        event_id=f"{number:032x}",
        event_kind=kind,
        patient=PERSON,
        recorded_at=f"2026-11-23T1{number}:00:00-04:00",
    )


def received_at(number: int) -> str:
    """The time at which the receiver took the event of this number."""
    return f"2026-11-23T1{number}:00:30.000Z"


def looked_up(
    context: DeliveryContext,
    patient_event: PatientEvent,
    encounter: str = ENCOUNTER,
    received: str = "",
) -> dict[str, Any]:
    """The task of the deliveries that the event asks for; nothing is delivered yet."""
    number = int(patient_event.event_id, 16)
    version = write_json(
        context, patient_event.event_id, "event.json", to_document(patient_event)
    ).version_id
    task = {
        "envelope": {
            "event_id": patient_event.event_id,
            "sender": "northgen",
            "received_at": received or received_at(number),
        },
        "parsed": {
            "encounter_ref": encounter,
            "version_id": version,
            "event_kind": patient_event.event_kind,
        },
        "clinical": {"outcome": "nothing_to_read"},
        "execution_arn": "arn",
        "attempt": 0,
    }
    with on_stdout("LookupIdentities"):
        own = LookupContext(LookupSettings.from_environment(), context.clients)
        found = look_up.with_context(own)(task, LambdaContext("LookupIdentities"))
    identities = {"version_id": found["version_id"], "patient_ref": found["patient_ref"]}
    return {**task, "identities": identities, "recipients": found["recipients"]}


def delivered(context: DeliveryContext, task: dict[str, Any]) -> list[str]:
    """The outcomes of the deliveries, made beside each other as in sandboxes of their own."""
    return [beside(context, {**task, **recipient})["outcome"] for recipient in task["recipients"]]


def run(
    context: DeliveryContext, patient_event: PatientEvent, encounter: str = ENCOUNTER
) -> list[str]:
    """Looks up and delivers as the workflow does; who was to be told."""
    delivered(context, looked_up(context, patient_event, encounter))
    document = read_json(context, patient_event.event_id, "identities.json")
    return [recipient.address for recipient in read_as(Identities, document).recipients]
