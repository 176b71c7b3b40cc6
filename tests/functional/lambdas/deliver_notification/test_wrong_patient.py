"""A stay that was another patient's: those who were told get a correction, and nothing of the other patient."""

import re
from dataclasses import replace
from typing import Any

import pytest

from lambdas.common.aws.items import to_item
from lambdas.common.contracts.encounter import (
    Audience,
    Change,
    EncounterClass,
    Facts,
    Notice,
    Phase,
)
from lambdas.common.contracts.event import EventKind, PatientEvent
from lambdas.common.contracts.notes import Note
from lambdas.common.contracts.patient import Patient, PatientIdentifier
from lambdas.common.contracts.person import Name
from lambdas.common.contracts.visit import CodedText, Location, Visit
from lambdas.delivery.context import DeliveryContext
from lambdas.lookup_identities.registry.items import items
from lambdas.lookup_identities.registry.rows import COLUMNS
from tests.functional.lambdas.deliver_notification.test_withdrawing import (
    PERSON,
    delivered,
    event,
    looked_up,
)
from tests.functional.lambdas.deliver_notification.world import sent_mails

OTHER = Patient(
    identifiers=(PatientIdentifier("H77002", "NORTHGEN"),),
    name=Name(family="Zweig", given="Berta"),
    birth_date="1931-07-30",
    sex="M",
)
OF_OTHER = (
    "Zweig",
    "Berta",
    "1931",
    "30 July",
    "H77002",
    "V77123",
    "7N",
    "Quill",
    "sepsis",
    "A41.9",
)
"""Everything that the moving message says of the other patient, in letters and in the bundle."""


@pytest.fixture(autouse=True)
def _registry(context: DeliveryContext) -> None:
    """Two patients, each with a provider of their own, and one provider of both."""

    def row(file: str, **cells: str) -> dict[str, str]:
        return {**dict.fromkeys(COLUMNS[file], ""), **cells}

    people = {
        "p1": ("Okonjo", "1958-02-14", "F", "H1"),
        "p2": ("Zweig", "1931-07-30", "M", "H77002"),
    }
    cares = {"p1": ("petra", "aco"), "p2": ("wei", "aco")}
    found = items(
        [
            row("patients.csv", patient_id=key, family=family, birth_date=born, sex=sex)
            for key, (family, born, sex, _) in people.items()
        ],
        [
            row("identifiers.csv", authority="NORTHGEN", value=number, patient_id=key)
            for key, (*_, number) in people.items()
        ],
        [
            row(
                "providers.csv",
                provider_id=who,
                family=who,
                email=f"{who}@clinic.example",
                detail="full",
                bundle="yes",
            )
            for who in ("petra", "wei", "aco")
        ],
        [
            row(
                "relationships.csv",
                patient_id=key,
                provider_id=who,
                relationship="care_team",
                active="yes",
            )
            for key, team in cares.items()
            for who in team
        ],
    )
    for item in found:
        context.client("dynamodb").put_item(TableName="registry", Item=to_item(item))


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
    """All that the mail holds: headers, both texts and the attached bundle, decoded."""
    parts = [part.get_content() for part in mail.walk() if not part.is_multipart()]
    texts = [part if isinstance(part, str) else part.decode() for part in parts]
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), *texts])


def by_title(word: str, first: int) -> dict[str, str]:
    """The content by address of the mails from this number on whose subject has the word."""
    return {
        mail["To"]: raw(mail) for mail in sent_mails()[first:] if word in mail["Subject"].lower()
    }


def test_who_was_told_of_the_wrong_patient_sees_nothing_of_the_right_one(
    context: DeliveryContext,
) -> None:
    delivered(context, looked_up(context, event(1, EventKind.ADMISSION)))
    first = len(sent_mails())
    delivered(context, looked_up(context, moved()))
    corrections = by_title("correct", first)
    assert set(corrections) == {"petra@clinic.example", "aco@clinic.example"}
    for content in corrections.values():
        assert [word for word in OF_OTHER if word.lower() in content.lower()] == []
        assert "Amaka Okonjo was an error" in content
        assert "First notice: Hospital admission" in content
        assert "entered-in-error" in content
        for clinical in ("shortness", "embolism", "Now, by the hospital's record"):
            assert clinical not in content


def test_who_is_told_of_the_right_patient_sees_nothing_of_the_wrong_one(
    context: DeliveryContext,
) -> None:
    delivered(context, looked_up(context, event(1, EventKind.ADMISSION)))
    delivered(context, looked_up(context, moved()))
    told = by_title("admission", 2)
    assert set(told) == {"wei@clinic.example", "aco@clinic.example"}
    for content in told.values():
        assert "Berta Zweig was admitted" in content
        for word in ("Okonjo", "Amaka", "1958-02-14", "14 February", "shortness", "embolism"):
            assert word not in content
        assert PERSON.identifiers[0].value not in content


def test_the_two_patients_stays_have_ids_and_threads_of_their_own(
    context: DeliveryContext,
) -> None:
    delivered(context, looked_up(context, event(1, EventKind.ADMISSION)))
    delivered(context, looked_up(context, moved()))
    mails = sent_mails()
    roots = {(mail["To"], mail["References"].split()[0]) for mail in mails}
    assert len({root for _, root in roots}) == 2
    wei = next(mail for mail in mails if mail["To"] == "wei@clinic.example")
    petra = [mail for mail in mails if mail["To"] == "petra@clinic.example"]
    stay = re.findall("Stay ([0-9A-F]{8})", raw(petra[0]))
    assert stay == re.findall("Stay ([0-9A-F]{8})", raw(petra[1]))
    assert stay[0] not in raw(wei).upper()


@pytest.mark.parametrize("kind", [EventKind.CANCEL_ADMISSION, EventKind.UPDATE])
def test_who_was_corrected_is_told_nothing_more_of_the_right_patients_stay(
    context: DeliveryContext, kind: EventKind
) -> None:
    delivered(context, looked_up(context, event(1, EventKind.ADMISSION)))
    delivered(context, looked_up(context, moved()))
    before = len(sent_mails())
    delivered(context, looked_up(context, of_right_patient(kind)))
    addresses = sorted(mail["To"] for mail in sent_mails()[before:])
    assert addresses == ["aco@clinic.example", "wei@clinic.example"]
    assert all("Amaka" not in raw(mail) for mail in sent_mails()[before:])


@pytest.mark.parametrize("kind", [EventKind.CANCEL_ADMISSION, EventKind.UPDATE])
def test_a_correction_that_waits_takes_up_nothing_of_the_right_patients_stay(
    context: DeliveryContext, kind: EventKind
) -> None:
    delivered(context, looked_up(context, event(1, EventKind.ADMISSION)))
    correction = looked_up(context, moved())
    before = len(sent_mails())
    looked_up(context, of_right_patient(kind))
    delivered(context, correction)
    late = by_title("correct", before)
    for address in ("petra@clinic.example", "aco@clinic.example"):
        assert "Amaka Okonjo was an error" in late[address]
        assert [word for word in OF_OTHER if word.lower() in late[address].lower()] == []
