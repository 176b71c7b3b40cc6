"""A stay that was another patient's: those who were told get a correction, and nothing of the other patient."""

import re

import pytest

from lambdas.common.audit import chain
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.delivery.context import DeliveryContext
from ops.disclosures.records import disclosures
from tests.functional.lambdas.deliver_notification.moved_stay import (
    moved,
    of_right_patient,
    raw,
    two_patients,
)
from tests.functional.lambdas.deliver_notification.stay import (
    PERSON,
    delivered,
    event,
    looked_up,
)
from tests.functional.lambdas.deliver_notification.world import sent_mails

__all__ = ["two_patients"]

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


def test_a_correction_is_in_the_account_of_the_patient_of_whom_it_tells(
    context: DeliveryContext,
) -> None:
    """45 CFR 164.528(b)(2): an account lists the disclosures about its own patient."""
    delivered(context, looked_up(context, event(1, EventKind.ADMISSION)))
    delivered(context, looked_up(context, moved()))
    every = [
        entry
        for number in (1, 2)
        for entry in chain.entries(context, event(number, EventKind.ADMISSION).event_id)
    ]

    def account(patient_id: str) -> list[tuple[str, str]]:
        reference = context.reference_keys.reference("patient", patient_id)
        of_patient = [entry for entry in every if entry.get("patient_ref") == reference]
        names = {
            context.reference_keys.reference("recipient", who): who
            for who in ("petra", "wei", "aco")
        }
        return sorted((names[one.recipient_ref], one.event_kind) for one in disclosures(of_patient))

    told_of_both = [("aco", "admission"), ("aco", "correction")]
    assert account("p") == [*told_of_both, ("petra", "admission"), ("petra", "correction")]
    assert account("p2") == [("aco", "admission"), ("wei", "admission")]


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
