"""The facility to which a patient goes (PV1-37) is told, and named by the registry, also when it comes late."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.common.contracts.encounters.encounter import Audience, Change, Notice
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.delivery.context import DeliveryContext
from tests.functional.lambdas.deliver_notification.stay import (
    IDENTIFIER,
    delivered,
    event,
    file_registry,
    in_care,
    looked_up,
)
from tests.functional.lambdas.deliver_notification.world import sent_mails


@pytest.fixture(autouse=True)
def _registry(context: DeliveryContext) -> None:
    """A patient with a doctor who wants discharges alone, and a nursing facility."""
    petra = {
        "provider_id": "petra",
        "family": "P",
        "email": "petra@clinic.example",
        "event_types": "discharge",
        "detail": "full",
    }
    cedar = {
        "provider_id": "cedar",
        "family": "Cedar Court",
        "email": "cedar@nursing.example",
        "kind": "facility",
        "detail": "full",
    }
    facility = {"authority": "NORTHGEN", "value": "SNF7", "provider_id": "cedar"}
    file_registry(
        context,
        [petra, cedar],
        [in_care("petra") | {"relationship": "primary_care"}],
        identifiers=[IDENTIFIER, facility],
    )


def with_notices(patient_event: PatientEvent, *notices: Notice, to: str = "") -> PatientEvent:
    """The event with these notices, and with a destination."""
    assert patient_event.decision is not None
    return replace(
        patient_event,
        visit=replace(patient_event.visit, discharged_to=to),
        decision=replace(patient_event.decision, notices=notices),
    )


def told(context: DeliveryContext, patient_event: PatientEvent) -> dict[str, Any]:
    """The new mails, by address: subject and text."""
    before = len(sent_mails())
    delivered(context, looked_up(context, patient_event))
    mails = sent_mails()[before:]
    bodies = [(mail, mail.get_body(("plain",))) for mail in mails]
    return {mail["To"]: f"{mail['Subject']}\n{body.get_content()}" for mail, body in bodies if body}


def test_a_late_destination_tells_the_facility_and_updates_the_others(
    context: DeliveryContext,
) -> None:
    first = event(1, EventKind.DISCHARGE)
    assert set(told(context, first)) == {"petra@clinic.example"}
    late = event(2, EventKind.UPDATE)
    about = (first.event_id,)
    changes = (Change.DESTINATION,)
    notices = (
        Notice(kind=EventKind.UPDATE, audience=Audience.TOLD, about=about, changes=changes),
        Notice(kind=EventKind.DISCHARGE, audience=Audience.UNTOLD, about=about, changes=changes),
    )
    mails = told(context, with_notices(late, *notices, to="SNF7"))
    assert mails["cedar@nursing.example"].startswith("Hospital discharge:")
    assert "Discharged to: Cedar Court (SNF7)" in mails["cedar@nursing.example"]
    assert mails["petra@clinic.example"].startswith("Update of a hospital stay:")
    assert "New: place of discharge." in mails["petra@clinic.example"]
    assert "Discharged to: Cedar Court (SNF7)" in mails["petra@clinic.example"]
