"""The recipients of each kind of event."""

import pytest

from lambdas.common.contracts.event import NOTIFIED
from lambdas.parse_message.codes import OTHER, PATIENT_CLASSES
from lambdas.parse_message.rules import RULES, TRIGGER_EVENTS, event_kind_of

ALL_CLASSES = sorted(PATIENT_CLASSES.codes | {"", OTHER})


@pytest.mark.parametrize(
    ("trigger_event", "patient_class", "kind"),
    [
        ("A01", "I", "admission"),
        ("A01", "B", "admission"),
        ("A01", "V", "admission"),
        ("A01", "", "admission"),
        ("A01", OTHER, "admission"),
        ("A01", "E", "ed_registration"),
        ("A01", "O", ""),
        ("A04", "E", "ed_registration"),
        ("A04", "", "registration"),
        ("A04", "U", "registration"),
        ("A04", "O", ""),
        ("A04", "R", ""),
        ("A04", "I", "admission"),
        ("A04", "OBS", "registration"),
        ("A06", "O", ""),
        ("A06", "P", ""),
        ("A06", "I", "admission"),
        ("A06", "", "admission"),
        ("A03", "I", "discharge"),
        ("A03", "", "discharge"),
        ("A03", "E", "ed_discharge"),
        ("A03", "O", ""),
    ],
)
def test_trigger_event_and_class_decide(trigger_event: str, patient_class: str, kind: str) -> None:
    assert event_kind_of(trigger_event, patient_class, facility_changed=False) == kind


@pytest.mark.parametrize("patient_class", ALL_CLASSES)
def test_a_transfer_is_news_only_from_one_facility_to_another(patient_class: str) -> None:
    assert event_kind_of("A02", patient_class, facility_changed=True) == "transfer"
    assert event_kind_of("A02", patient_class, facility_changed=False) == ""


@pytest.mark.parametrize("patient_class", ALL_CLASSES)
def test_no_other_trigger_event_tells_anybody(patient_class: str) -> None:
    telling = {"A01", "A02", "A03", "A04", "A06", "A11", "A12", "A13"}
    silent = (TRIGGER_EVENTS | {"", OTHER}) - telling
    assert {event_kind_of(t, patient_class, facility_changed=True) for t in silent} == {""}


@pytest.mark.parametrize("patient_class", ALL_CLASSES)
def test_a_cancellation_withdraws_whatever_the_class(patient_class: str) -> None:
    for trigger_event, kind in (
        ("A11", "cancel_admission"),
        ("A12", "cancel_transfer"),
        ("A13", "cancel_discharge"),
    ):
        assert event_kind_of(trigger_event, patient_class, facility_changed=False) == kind


def test_every_rule_names_a_kind_that_a_notification_knows() -> None:
    assert {rule.event_kind for rule in RULES} - {""} <= set(NOTIFIED)
