"""The encounter that a message names, by its numbers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bench.encounters.memory import MemoryStore
from lambdas.common.contracts.encounters.encounter import Decision
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.encounters.keys import EncounterKeys
from lambdas.encounters.store import Due, DueReason
from lambdas.track_encounter.closing import closed
from lambdas.track_encounter.message import EncounterMessage
from lambdas.track_encounter.tracking import track
from tests.support.encounters import NOON, PROFILE, E, I, O, U, message, play

VISITED = message("A04", 0, E, account="a1")


def tracked(*messages: EncounterMessage, store: MemoryStore | None = None) -> list[Decision]:
    table = store or MemoryStore()
    return [track(table, one, PROFILE, lambda: NOON) for one in messages]


def encounters(*messages: EncounterMessage) -> list[str]:
    """The encounter of each message."""
    return [decision.encounter_id for decision in tracked(*messages)]


def test_two_visits_of_one_account_are_two_encounters() -> None:
    first, second = encounters(VISITED, message("A01", 60, I, visit="v2", account="a1"))
    assert first != second


def test_a_cancellation_with_another_visit_number_is_found_by_its_account() -> None:
    first, second = encounters(VISITED, message("A11", 60, visit="v9", account="a1"))
    assert first == second


def test_an_account_leads_to_its_newest_encounter() -> None:
    found = encounters(
        VISITED,
        message("A01", 60, I, visit="v2", account="a1"),
        message("A11", 90, visit="", account="a1"),
    )
    assert found[2] == found[1]


def test_a_visit_number_that_comes_later_joins_the_encounter_of_its_account() -> None:
    first, second = encounters(
        message("A04", 0, E, visit="", account="a1"), message("A06", 60, I, account="a1")
    )
    assert first == second


def test_a_sender_without_numbers_has_one_encounter_after_the_other() -> None:
    found = encounters(
        message("A01", 0, I, visit=""),
        message("A03", 60, visit=""),
        message("A01", 600, I, "second", visit=""),
        message("A03", 700, visit=""),
    )
    assert found == [found[0], found[0], "second", "second"]


def test_the_time_of_admission_finds_the_encounter_of_a_patient() -> None:
    timed = EncounterKeys(key_id="k1", patient_time=("patient_time#k1.p1-0800",))
    admitted = message("A01", 0, I)
    keys = replace(admitted.keys, patient_time=timed.patient_time)
    first, second = encounters(
        replace(admitted, keys=keys), replace(message("A11", 60), keys=timed)
    )
    assert first == second


def test_a_discharge_of_another_visit_ends_no_stay_that_began_at_the_same_time() -> None:
    timed = EncounterKeys(key_id="k1", patient_time=("patient_time#k1.p1-0800",))
    admitted, discharged = message("A01", 0, I), message("A03", 60, E, "second", visit="v2")
    first, second = encounters(
        *(
            replace(one, keys=replace(one.keys, patient_time=timed.patient_time))
            for one in (admitted, discharged)
        )
    )
    assert first != second


@pytest.mark.parametrize("trigger_event", ["A35", "A41", "A42", "A49", "A50", "A51"])
def test_a_changed_number_leads_to_the_same_encounter(trigger_event: str) -> None:
    renumbered = replace(message(trigger_event, 30, visit="v2"), prior_keys=VISITED.keys)
    found = encounters(VISITED, renumbered, message("A03", 60, visit="v2"))
    assert len(set(found)) == 1


def test_a_moved_visit_is_found_by_its_prior_number() -> None:
    moved = replace(message("A45", 30, I, visit="v2", patient="p2"), prior_keys=VISITED.keys)
    found = encounters(VISITED, moved, message("A03", 60, visit="v2", patient="p2"))
    assert len(set(found)) == 1


def test_merges_in_a_row_lead_to_one_patient() -> None:
    decisions = tracked(
        VISITED,
        message("A40", 30, visit="", patient="p2", prior_patient="p1"),
        message("A40", 40, visit="", patient="p3", prior_patient="p2"),
        message("A03", 60, patient="p3"),
    )
    assert [notice.kind for notice in decisions[-1].notices] == ["ed_discharge"]


def test_an_identifier_that_was_changed_and_changed_back_is_the_same_patients() -> None:
    decisions = tracked(
        message("A47", 0, visit="", patient="p2", prior_patient="p1"),
        message("A01", 10, I, patient="p2"),
        message("A47", 20, U, "back", visit="", patient="p1", prior_patient="p2"),
        message("A03", 60, patient="p1"),
    )
    assert [notice.kind for notice in decisions[-1].notices] == ["discharge"]


def test_the_account_that_survives_a_merge_keeps_its_own_encounter() -> None:
    merged = message("A41", 30, visit="", account="a1")
    found = encounters(
        message("A04", 0, O, visit="", account="a0"),
        message("A01", 10, I, visit="", account="a1"),
        replace(merged, prior_keys=message("A04", 0, visit="", account="a0").keys),
        message("A03", 60, visit="", account="a1"),
    )
    assert found[3] == found[1] != found[0]


@pytest.mark.parametrize("trigger_event", ["A18", "A36", "A40"])
def test_a_merge_that_changes_the_account_leads_to_the_same_encounter(trigger_event: str) -> None:
    admitted = message("A01", 0, I, visit="", account="a1")
    merged = message(trigger_event, 30, patient="p2", prior_patient="p1", visit="", account="a2")
    decisions = tracked(
        admitted,
        replace(merged, prior_keys=replace(admitted.keys, patient=())),
        message("A11", 60, patient="p2", visit="", account="a2"),
    )
    assert [notice.kind for notice in decisions[-1].notices] == ["cancel_admission"]


def test_the_stay_of_a_sender_without_numbers_is_found_after_a_merge() -> None:
    decisions = tracked(
        message("A04", 0, E, visit=""),
        message("A40", 30, visit="", patient="p2", prior_patient="p1"),
        message("A03", 60, visit="", patient="p2"),
    )
    assert [notice.kind for notice in decisions[-1].notices] == ["ed_discharge"]


def test_a_merge_that_names_an_account_of_a_third_patient_is_recorded() -> None:
    decisions = tracked(
        message("A04", 0, E, visit="v7", patient="p7", account="0"),
        message("A01", 10, I),
        message("A40", 30, visit="", account="0", patient="p2", prior_patient="p1"),
        message("A03", 60, patient="p2"),
    )
    assert [notice.kind for notice in decisions[-1].notices] == ["discharge"]


def test_an_open_encounter_is_due_after_the_time_of_its_class() -> None:
    store = MemoryStore()
    tracked(VISITED, store=store)
    assert store.due["visit#k1.v1"] == Due(why=DueReason.OPEN, at="2026-11-28T08:00:00.000Z")


def test_an_open_encounter_is_closed_once_and_its_discharge_is_still_told() -> None:
    store = MemoryStore()
    tracked(VISITED, store=store)
    home = store.homes["visit#k1.v1"]
    later = NOON + timedelta(days=5)
    assert closed(home.encounter, PROFILE, NOON) is None
    after = closed(home.encounter, PROFILE, later)
    assert after is not None
    assert closed(after, PROFILE, later) is None
    store.homes["visit#k1.v1"] = replace(home, encounter=after)
    (decision,) = tracked(message("A03", 8000), store=store)
    assert [notice.kind for notice in decision.notices] == ["ed_discharge"]


@pytest.mark.parametrize("trigger_event", ["A31", "A08"])
def test_a_message_without_numbers_is_not_of_a_stay_that_was_moved_to_another_patient(
    trigger_event: str,
) -> None:
    moved = message("A45", 30, patient="p2")
    about_the_patient = message(trigger_event, 40, visit="")
    decision = play([message("A01", 0, I), moved, about_the_patient])[1][-1]
    assert decision.notices == ()


def test_a_patient_whose_stay_was_moved_away_may_be_admitted_by_a_sender_without_numbers() -> None:
    moved = message("A45", 30, patient="p2")
    decision = play([message("A01", 0, I), moved, message("A01", 40, I, "anew", visit="")])[1][-1]
    assert [notice.kind for notice in decision.notices] == [EventKind.ADMISSION]
    assert decision.encounter_id == "anew"
