"""A stay that the hospital moves to another patient (A45), over a registry of both patients."""

import re
from dataclasses import replace
from typing import Any

import pytest

from lambdas.common.contracts.encounters.encounter import (
    Audience,
    Change,
    EncounterClass,
    Facts,
    Notice,
    Phase,
)
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.notes import Note
from lambdas.common.contracts.message.patient import Patient, PatientIdentifier
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.message.visit import CodedText, Location, Visit
from lambdas.delivery.context import DeliveryContext
from tests.functional.lambdas.deliver_notification.stay import (
    IDENTIFIER,
    PATIENT,
    event,
    file_registry,
    in_care,
)

OTHER = Patient(
    identifiers=(PatientIdentifier("H77002", "NORTHGEN"),),
    name=Name(family="Zweig", given="Berta"),
    birth_date="1931-07-30",
    sex="M",
)


@pytest.fixture(autouse=True)
def two_patients(context: DeliveryContext) -> None:
    """Two patients, each with a provider of their own, and one provider of both."""
    other = {"patient_id": "p2", "family": "Zweig", "birth_date": "1931-07-30", "sex": "M"}
    file_registry(
        context,
        [
            {
                "provider_id": who,
                "family": who,
                "email": f"{who}@clinic.example",
                "detail": "full",
                "bundle": "yes",
            }
            for who in ("petra", "wei", "aco")
        ],
        [in_care("petra"), in_care("aco"), in_care("wei", "p2"), in_care("aco", "p2")],
        patients=[PATIENT, other],
        identifiers=[IDENTIFIER, IDENTIFIER | {"value": "H77002", "patient_id": "p2"}],
    )


def moved() -> PatientEvent:
    """The event (A45) that moves the stay to the other patient, with that patient's facts."""
    admission = event(1, EventKind.ADMISSION)
    correction = Notice(
        kind=EventKind.CORRECTION,
        audience=Audience.TOLD,
        about=(admission.event_id,),
        changes=(Change.PATIENT,),
    )
    told = Notice(kind=EventKind.ADMISSION, audience=Audience.UNTOLD, about=(admission.event_id,))
    one = event(2, EventKind.CORRECTION)
    assert one.decision is not None
    return replace(
        one,
        patient=OTHER,
        visit=Visit(
            visit_number="V77123",
            location=Location(facility="NORTHGEN", unit="7N"),
            reason=CodedText(text="sepsis"),
        ),
        practitioners=(replace(one.practitioners[0], name=Name(family="Quill", given="Peter")),),
        diagnoses=(CodedText("A41.9", "Sepsis", "I10", "A"),),
        notes=(Note("OBX[1]-5", "sepsis of Zweig"),),
        decision=replace(
            one.decision,
            notices=(correction, told),
            phase=Phase.IN,
            facts=Facts(encounter_class=EncounterClass.INPATIENT),
        ),
    )


def of_right_patient(kind: EventKind) -> PatientEvent:
    """A later event about what the moving event told of the right patient."""
    later = event(3, kind)
    assert later.decision is not None
    notice = Notice(kind=kind, audience=Audience.TOLD, about=(f"{2:032x}",))
    return replace(later, patient=OTHER, decision=replace(later.decision, notices=(notice,)))


def raw(mail: Any) -> str:
    """All that the mail holds: headers, both texts and the attached bundle, decoded.

    The boundary of its parts is left out: random digits may contain a year.
    """
    parts = [part.get_content() for part in mail.walk() if not part.is_multipart()]
    texts = [part if isinstance(part, str) else part.decode() for part in parts]
    headers = [f"{name}: {value}" for name, value in mail.items()]
    return "\n".join([*(re.sub('boundary="[^"]*"', "", header) for header in headers), *texts])
