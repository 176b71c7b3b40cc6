"""The order of a stay's events, and what follows from it for what is told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lambdas.common.clock import iso
from lambdas.common.contracts.encounters.encounter import DecisionReason
from lambdas.track_encounter.message import EncounterMessage
from tests.support.encounters import ADMITTED, DISCHARGED, NOON, I, O, message, reason, told


def received_in_turn(*messages: EncounterMessage) -> tuple[EncounterMessage, ...]:
    """The messages, each received a minute after the one before."""
    return tuple(
        replace(one, event=replace(one.event, received_at=iso(NOON + timedelta(minutes=minute))))
        for minute, one in enumerate(messages)
    )


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ([message("A11", 30)], message("A01", 30, I, "anew"), "admission"),
        ([DISCHARGED, message("A13", 90)], message("A03", 90, event_id="anew"), "discharge"),
        ([message("A07", 30, O)], message("A06", 30, I, "anew"), "admission"),
        ([DISCHARGED], message("A01", 60, I, "anew"), "admission"),
    ],
)
def test_events_of_one_second_happened_in_the_order_of_their_receipt(
    before: list[EncounterMessage], after: EncounterMessage, kind: str
) -> None:
    assert told(*received_in_turn(ADMITTED, *before, after)) == [(kind, "team")]


def test_an_admission_and_a_discharge_of_one_second_may_come_in_any_order() -> None:
    late = received_in_turn(message("A03", 60, I), message("A01", 60, I))
    assert reason(*late) is DecisionReason.SUPERSEDED


def test_an_admission_sent_again_after_a_stay_of_no_time_begins_nothing() -> None:
    again_later = message("A01", 90, I, "again", at=0)
    assert not told(ADMITTED, message("A03", 0), again_later)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ([message("A11", 30)], message("A01", 0, I, "anew", recorded=40), "admission"),
        (
            [DISCHARGED, message("A13", 90)],
            message("A03", 60, event_id="anew", recorded=100),
            "discharge",
        ),
    ],
)
def test_what_is_entered_again_with_its_old_time_after_a_cancellation_is_told(
    before: list[EncounterMessage], after: EncounterMessage, kind: str
) -> None:
    assert told(ADMITTED, *before, after) == [(kind, "team")]


def test_a_cancellation_that_comes_first_cancels_what_was_recorded_after_it() -> None:
    assert told(message("A11", 30), message("A01", 0, I, recorded=40)) == []
