"""The meaning of each message for its stay: every trigger event, and the situations of a stay."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hl7.tables import ADT_TRIGGER_EVENTS
from lambdas.common.contracts.encounters.encounter import (
    Audience,
    Change,
    DecisionReason,
    DispositionSays,
    Effect,
    EncounterClass,
    Phase,
)
from lambdas.common.contracts.encounters.protection import ProtectionFlag
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.errors import IdentityConflictError
from lambdas.parse_message.values.codes import OTHER, PATIENT_CLASSES
from lambdas.track_encounter.message import EncounterMessage
from lambdas.track_encounter.triggers import EFFECTS, RULES
from tests.support.encounters import (
    ADMITTED,
    DISCHARGED,
    NOON,
    OBS,
    PROFILE,
    E,
    I,
    O,
    U,
    again,
    last,
    message,
    play,
    reason,
    told,
)

VISITED = message("A04", 0, E, facility="N", attending=True, diagnosed=True)


def test_every_adt_trigger_event_has_one_row() -> None:
    assert sorted(rule.trigger_event for rule in RULES) == sorted(ADT_TRIGGER_EVENTS)


def test_every_effect_is_explained() -> None:
    assert set(EFFECTS) == set(Effect)


# What each trigger event tells when it is the first message of its stay, sent with class I.
FIRST = {
    "A01": [("admission", "team")],
    "A03": [("discharge", "team")],
    "A04": [("admission", "team")],
    "A06": [("admission", "team")],
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.trigger_event)
def test_a_first_message_of_an_inpatient_tells_what_its_row_says(rule: object) -> None:
    trigger_event = rule.trigger_event  # type: ignore[attr-defined]
    assert told(message(trigger_event, 0, I)) == FIRST.get(trigger_event, [])


@pytest.mark.parametrize(
    ("trigger_event", "patient_class", "kinds"),
    [
        ("A01", "I", ["admission"]),
        ("A01", "B", ["admission"]),
        ("A01", "V", ["observation"]),
        ("A01", "", ["admission"]),
        ("A01", "N", ["admission"]),
        ("A01", "other", ["admission"]),
        ("A01", "E", ["ed_registration"]),
        ("A01", "O", []),
        ("A04", "E", ["ed_registration"]),
        ("A04", "", ["registration"]),
        ("A04", "U", ["registration"]),
        ("A04", "O", []),
        ("A04", "R", []),
        ("A04", "I", ["admission"]),
        ("A04", "OBS", ["observation"]),
        ("A06", "O", []),
        ("A06", "P", []),
        ("A06", "I", ["admission"]),
        ("A06", "", ["admission"]),
        ("A03", "I", ["discharge"]),
        ("A03", "", ["discharge"]),
        ("A03", "E", ["ed_discharge"]),
        ("A03", "O", []),
    ],
)
def test_the_class_of_a_first_message_decides_the_kind(
    trigger_event: str, patient_class: str, kinds: list[str]
) -> None:
    known = PROFILE.class_of(patient_class, "")
    assert [kind for kind, _ in told(message(trigger_event, 0, known))] == kinds


EVERY_CLASS = sorted(PATIENT_CLASSES.codes | {"", OTHER})
"""The codes of PV1-2 that ParseMessage writes."""


@pytest.mark.parametrize("patient_class", EVERY_CLASS)
def test_no_other_trigger_event_begins_by_telling_anybody(patient_class: str) -> None:
    known = PROFILE.class_of(patient_class, "")
    silent = {*ADT_TRIGGER_EVENTS, "", OTHER} - set(FIRST)
    assert {one for one in silent if told(message(one, 0, known))} == set()


@pytest.mark.parametrize("patient_class", EVERY_CLASS)
def test_a_cancellation_withdraws_whatever_its_class(patient_class: str) -> None:
    known = PROFILE.class_of(patient_class, "")
    moved = message("A02", 30, I, facility="X")
    for before, trigger_event, kind in (
        ((ADMITTED,), "A11", "cancel_admission"),
        ((ADMITTED, moved), "A12", "cancel_transfer"),
        ((ADMITTED, DISCHARGED), "A13", "cancel_discharge"),
    ):
        assert told(*before, message(trigger_event, 70, known)) == [(kind, "told")]


# What each trigger event tells of an inpatient who was admitted and told of.
LATER = {
    "A03": [("discharge", "team")],
    "A07": [("correction", "told"), ("observation", "untold")],
    "A11": [("cancel_admission", "told")],
    "A23": [("cancel_admission", "told")],
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.trigger_event)
def test_a_later_message_of_an_inpatient_tells_what_its_row_says(rule: object) -> None:
    trigger_event = rule.trigger_event  # type: ignore[attr-defined]
    encounter_class = OBS if trigger_event == "A07" else U
    assert told(ADMITTED, message(trigger_event, 30, encounter_class)) == LATER.get(
        trigger_event, []
    )


@pytest.mark.parametrize("trigger_event", ["A01", "A02", "A06", "A08"])
def test_an_emergency_patient_who_becomes_an_inpatient_is_an_admission_by_any_trigger_event(
    trigger_event: str,
) -> None:
    assert told(VISITED, message(trigger_event, 60, I)) == [("admission", "team")]


def test_an_emergency_visit_then_a_discharge_then_an_admission_are_three_notices() -> None:
    stay = (VISITED, message("A03", 60), message("A01", 65, I))
    assert told(*stay[:2]) == [("ed_discharge", "team")]
    assert told(*stay) == [("admission", "team")]


def test_an_admission_from_the_emergency_department_may_carry_the_time_of_arrival_there() -> None:
    # PV1-44 of the A01 is the arrival in the emergency department, before the discharge from it.
    stay = (VISITED, message("A03", 60), message("A01", 65, I, at=0))
    assert told(*stay) == [("admission", "team")]


def test_an_observation_stay_is_told_as_such_and_its_end_to_those_who_were_told() -> None:
    observation = message("A04", 0, OBS)
    assert told(observation) == [("observation", "team")]
    assert told(observation, DISCHARGED) == [("discharge", "told")]


def test_the_end_of_an_emergency_visit_is_told_also_when_the_patient_was_in_observation() -> None:
    assert told(VISITED, message("A08", 30, OBS), DISCHARGED) == [("discharge", "told")]


def test_an_outpatient_is_nobodys_news() -> None:
    visit = message("A04", 0, O)
    assert reason(visit) is DecisionReason.NOT_A_NOTIFIABLE_EVENT
    assert told(visit, DISCHARGED) == []


def test_those_told_of_an_emergency_visit_hear_its_end_from_an_outpatient_too() -> None:
    assert told(VISITED, message("A08", 30, O), DISCHARGED) == [("ed_discharge", "told")]


@pytest.mark.parametrize("said", [E, O, U])
def test_the_encounters_class_decides_a_discharge_not_the_messages(said: EncounterClass) -> None:
    assert told(ADMITTED, message("A03", 60, said)) == [("discharge", "team")]


@pytest.mark.parametrize("trigger_event", ["A07", "A08"])
def test_an_admission_that_was_none_is_corrected_to_those_who_were_told(trigger_event: str) -> None:
    decision = last(ADMITTED, message(trigger_event, 30, O))
    (notice,) = decision.notices
    assert (notice.kind, notice.audience) == (EventKind.CORRECTION, Audience.TOLD)
    assert notice.about == (ADMITTED.event.event_id,)
    assert notice.changes == (Change.CLASS,)


def test_an_admission_after_its_correction_is_told_again() -> None:
    assert told(ADMITTED, message("A07", 30, O), message("A06", 60, I)) == [("admission", "team")]


def test_a_bed_move_is_nobodys_news() -> None:
    assert reason(ADMITTED, message("A02", 30, I, facility="N")) is DecisionReason.BED_MOVE


def test_a_move_to_another_facility_is_a_transfer_by_the_encounters_place() -> None:
    move = message("A02", 30, I, facility="X")
    assert told(ADMITTED, move) == [("transfer", "team")]
    assert told(ADMITTED, move, message("A12", 40)) == [("cancel_transfer", "told")]
    assert told(ADMITTED, move, message("A02", 40, facility="N")) == [("transfer", "team")]


def test_a_move_of_an_unknown_stay_is_a_transfer_by_the_place_before() -> None:
    move = message("A02", 30, I, facility="X", facility_before="N")
    assert told(move) == [("transfer", "team")]


def test_the_same_event_under_another_control_id_is_a_duplicate() -> None:
    for one in (ADMITTED, VISITED):
        assert reason(one, again(one, "again")) is DecisionReason.DUPLICATE
    assert reason(ADMITTED, DISCHARGED, again(DISCHARGED, "b")) is DecisionReason.DUPLICATE
    later = message("A01", 30, I, at=0)
    assert reason(ADMITTED, later) is DecisionReason.DUPLICATE


def test_a_second_cancellation_tells_nobody() -> None:
    cancel = message("A11", 30)
    assert reason(ADMITTED, cancel, again(cancel, "b")) is DecisionReason.DUPLICATE
    assert reason(ADMITTED, cancel, message("A11", 40)) is DecisionReason.NOT_TOLD


def test_an_admission_that_comes_after_its_discharge_tells_nobody() -> None:
    assert reason(DISCHARGED, ADMITTED) is DecisionReason.SUPERSEDED


def test_a_discharge_whose_cancellation_came_first_tells_nobody() -> None:
    assert told(ADMITTED, message("A13", 70), DISCHARGED) == []


def test_a_discharge_taken_back_is_cancelled_and_told_anew() -> None:
    back = message("A13", 70)
    assert told(ADMITTED, DISCHARGED, back) == [("cancel_discharge", "told")]
    anew = message("A03", 600, discharged_to="SNF77")
    assert told(ADMITTED, DISCHARGED, back, anew) == [("discharge", "team")]


def test_a_cancellation_names_every_event_that_was_told() -> None:
    detail = message("A08", 70, discharged_to="SNF77")
    decision = last(ADMITTED, DISCHARGED, detail, message("A13", 80))
    assert decision.notices[0].about == (DISCHARGED.event.event_id, detail.event.event_id)


def test_the_cancelled_admission_of_an_emergency_patient_leaves_the_visit() -> None:
    decision = last(VISITED, message("A01", 60, I), message("A11", 70))
    assert [notice.kind for notice in decision.notices] == [EventKind.CANCEL_ADMISSION]
    assert decision.phase is Phase.IN
    assert decision.facts.encounter_class is EncounterClass.EMERGENCY


def test_a_cancellation_of_nothing_is_an_operators_item() -> None:
    for trigger_event in ("A11", "A12", "A13"):
        assert reason(message(trigger_event, 30)) is DecisionReason.NO_ENCOUNTER


def test_an_admission_after_its_own_cancellation_tells_nobody() -> None:
    assert told(message("A11", 30), ADMITTED) == []


def test_a_death_is_its_own_kind_and_taken_back_in_its_own_words() -> None:
    died = message("A03", 60, died=True, disposition="20")
    assert told(ADMITTED, died) == [("death", "team")]
    assert told(ADMITTED, died, message("A13", 70, died=False)) == [("cancel_death", "told")]
    lives = told(ADMITTED, died, message("A08", 70, died=False))
    assert lives == [("cancel_death", "told"), ("discharge", "untold")]


def test_a_death_that_an_update_brings_after_the_discharge_is_told() -> None:
    assert told(ADMITTED, DISCHARGED, message("A08", 90, died=True)) == [("death", "team")]


def test_nothing_begins_after_a_death() -> None:
    died = message("A03", 60, died=True)
    assert told(ADMITTED, died, message("A01", 90, I)) == []


@pytest.mark.parametrize(
    ("stated", "changes"),
    [
        ({"attending": True}, (Change.ATTENDING,)),
        ({"diagnosed": True}, (Change.DIAGNOSIS,)),
        ({"attending": True, "diagnosed": True}, (Change.ATTENDING, Change.DIAGNOSIS)),
    ],
)
def test_a_detail_that_comes_later_is_one_update(
    stated: dict[str, Any], changes: tuple[Change, ...]
) -> None:
    admitted = message("A01", 0, I)
    update = message("A08", 60, I, **stated)
    decision = last(admitted, update)
    assert [notice.kind for notice in decision.notices] == ["update", "admission"]
    assert [notice.audience for notice in decision.notices] == ["told", "untold"]
    assert decision.notices[0].changes == changes
    assert reason(admitted, update, message("A08", 90, I, **stated)) is DecisionReason.UNCHANGED


def test_five_updates_without_news_tell_nothing() -> None:
    updates = [message("A08", minute, I) for minute in range(10, 60, 10)]
    reader, _, encounter = play([ADMITTED, *updates, DISCHARGED])
    assert reader.kinds == ["admission", "discharge"]
    assert encounter is not None
    assert len(encounter.events) + encounter.unchanged == 7


def test_a_destination_that_comes_later_is_told_to_the_new_facility_and_as_an_update() -> None:
    update = message("A08", 90, discharged_to="SNF77")
    assert told(ADMITTED, DISCHARGED, update) == [("update", "told"), ("discharge", "untold")]
    other = message("A03", 95, discharged_to="SNF88")
    assert told(ADMITTED, DISCHARGED, update, other) == [
        ("update", "told"),
        ("discharge", "untold"),
    ]


def test_an_admission_and_its_updates_wait_a_minute_by_default() -> None:
    now = NOON.replace(day=23, hour=8)
    admitted, update = message("A01", 0, I), message("A08", 0, I, attending=True)
    decisions = play([admitted, update], now=now + timedelta(seconds=30))[1]
    waiting = [
        (notice.kind, notice.audience, notice.settle_until)
        for decision in decisions
        for notice in decision.notices
    ]
    until = "2026-11-23T08:01:00.000Z"
    assert waiting == [
        ("admission", "team", until),
        ("update", "told", until),
        ("admission", "untold", ""),
    ]


def test_a_cancellation_does_not_wait() -> None:
    now = NOON.replace(day=23, hour=8)
    decisions = play([message("A01", 0, I), message("A11", 0)], now=now)[1]
    assert decisions[1].notices[0].settle_until == ""


def test_an_emergency_visit_does_not_wait() -> None:
    decision = play([message("A04", 0, E)], now=NOON.replace(day=23, hour=8))[1][0]
    assert decision.notices[0].settle_until == ""


def test_a_late_event_says_so_and_an_old_one_tells_nobody() -> None:
    late = PROFILE.late_after + timedelta(hours=1)
    assert play([ADMITTED], now=NOON + late)[1][0].notices[0].late
    old = play([ADMITTED], now=NOON + timedelta(days=31))[1][0]
    assert old.reason is DecisionReason.STALE_EVENT


def test_a_stale_admission_is_known_when_its_discharge_comes() -> None:
    profile = replace(PROFILE, stale_after={EventKind.ADMISSION: timedelta(hours=1)})
    assert reason(ADMITTED, profile=profile) is DecisionReason.STALE_EVENT
    _, decisions, _ = play([ADMITTED, DISCHARGED], profile)
    assert [notice.kind for notice in decisions[-1].notices] == [EventKind.DISCHARGE]


def test_the_cancellation_of_a_stale_admission_tells_nobody() -> None:
    profile = replace(PROFILE, stale_after={EventKind.ADMISSION: timedelta(hours=1)})
    assert reason(ADMITTED, message("A11", 30), profile=profile) is DecisionReason.NOT_TOLD


def test_a_load_builds_the_stays_and_tells_nobody() -> None:
    loading = replace(PROFILE, load=True)
    assert reason(ADMITTED, DISCHARGED, profile=loading) is DecisionReason.LOAD
    initial = message("A01", 0, I, load=True)
    assert reason(initial) is DecisionReason.LOAD
    assert told(initial, DISCHARGED) == [("discharge", "team")]


def test_a_stay_that_is_moved_to_another_patient_is_corrected_and_told_of_the_right_one() -> None:
    move = message("A45", 30, I, patient="p2")
    assert told(ADMITTED, move) == [("correction", "told"), ("admission", "untold")]


@pytest.mark.parametrize("trigger_event", ["A43", "A44", "A45"])
def test_a_move_that_names_no_class_tells_the_class_of_the_stay(trigger_event: str) -> None:
    move = message(trigger_event, 30, patient="p2")
    decision = last(ADMITTED, move)
    correction, admission = decision.notices
    assert (correction.kind, correction.changes) == (EventKind.CORRECTION, (Change.PATIENT,))
    assert (admission.kind, admission.at) == (EventKind.ADMISSION, ADMITTED.event.at)
    assert decision.facts.encounter_class is I
    assert reason(ADMITTED, move, message("A08", 40, I, patient="p2")) is DecisionReason.UNCHANGED


@pytest.mark.parametrize("trigger_event", ["A18", "A30", "A34", "A36", "A39", "A40", "A46", "A47"])
def test_after_a_merge_either_identifier_names_the_patient_of_the_stay(trigger_event: str) -> None:
    merge = message(trigger_event, 30, visit="", patient="p2", prior_patient="p1")
    assert reason(ADMITTED, merge) is DecisionReason.IDENTITY_CHANGED
    for patient in ("p1", "p2"):
        assert told(ADMITTED, merge, message("A03", 60, patient=patient)) == [("discharge", "team")]


def test_a_stay_that_was_merged_elsewhere_is_no_conflict_in_either_order() -> None:
    merge = message("A40", 30, visit="", patient="p2", prior_patient="p1")
    assert told(merge, ADMITTED, message("A03", 60, patient="p2")) == [("discharge", "team")]


def test_a_stay_of_another_patient_is_a_conflict_and_stays_as_it_was() -> None:
    with pytest.raises(IdentityConflictError):
        last(ADMITTED, message("A03", 60, patient="p2"))


def test_a_cancelled_number_may_be_given_to_another_patient() -> None:
    cancel, anew = message("A11", 30), message("A01", 40, I, "new", patient="p2")
    decision = last(ADMITTED, cancel, anew)
    assert [notice.audience for notice in decision.notices] == [Audience.TEAM]
    assert decision.encounter_id == "new"


def test_a_number_may_be_given_to_another_patient_long_after_the_end() -> None:
    profile = replace(PROFILE, visit_numbers_return_after=timedelta(hours=2))
    anew = message("A01", 300, I, "new", patient="p2")
    assert last(ADMITTED, DISCHARGED, anew, profile=profile).encounter_id == "new"


def test_a_merge_tells_nobody() -> None:
    merge = message("A40", 30, patient="p2", prior_patient="p1")
    assert reason(ADMITTED, merge) is DecisionReason.IDENTITY_CHANGED


def test_a_sender_may_give_a_trigger_event_another_effect() -> None:
    from lambdas.track_encounter.triggers import rule_of

    assert rule_of("A08").effect is Effect.UPDATE
    assert rule_of("A08", {"A08": Effect.BEGIN}).effect is Effect.BEGIN
    assert rule_of("Z99").effect is Effect.NONE


def test_protections_never_leave_a_stay() -> None:
    marked = replace(ADMITTED, protections=(ProtectionFlag.PV1_16,))
    _, _, encounter = play([marked, DISCHARGED])
    assert encounter is not None
    assert encounter.protections == ("PV1-16",)


MOVED = message("A02", 120, I, facility="N")
CANCELLED_BEFORE_THE_MOVE = message("A11", 30, I)


def test_a_late_cancellation_of_an_admission_is_void_where_the_patient_moved_after_it() -> None:
    assert told(ADMITTED, MOVED, CANCELLED_BEFORE_THE_MOVE) == []
    assert reason(ADMITTED, MOVED, CANCELLED_BEFORE_THE_MOVE) is DecisionReason.SUPERSEDED
    discharged = message("A03", 240, disposition="01")
    assert told(ADMITTED, MOVED, CANCELLED_BEFORE_THE_MOVE, discharged) == [("discharge", "team")]


def test_a_transfer_that_arrives_after_the_discharge_is_superseded() -> None:
    elsewhere = message("A02", 30, I, facility="M", facility_before="N")
    assert reason(ADMITTED, DISCHARGED, elsewhere) is DecisionReason.SUPERSEDED


def test_a_cancellation_of_something_untold_says_so() -> None:
    assert reason(ADMITTED, message("A13", 30)) is DecisionReason.NOT_TOLD


def test_a_cancellation_that_is_sent_again_cancels_nothing_more() -> None:
    admitted, cancel = message("A01", 60, I, facility="N"), message("A11", 70)
    decision = last(VISITED, admitted, cancel, again(cancel, "b"))
    assert (decision.reason, decision.phase) == (DecisionReason.DUPLICATE, Phase.IN)
    returned = message("A01", 120, I)
    left = (ADMITTED, DISCHARGED, returned, message("A11", 130))
    assert last(*left, again(left[-1], "b")).phase is Phase.LEFT


def test_a_cancellation_of_a_transfer_that_is_sent_again_leaves_the_transfer_before_it() -> None:
    there, further = message("A02", 30, I, facility="X"), message("A02", 40, I, facility="Y")
    cancel = message("A12", 50, I, facility="X")
    decision = last(ADMITTED, there, further, cancel, again(cancel, "b"))
    assert (decision.reason, decision.facts.facility) == (DecisionReason.DUPLICATE, "X")
    # PV1-3 is the place before the cancelled transfer (HL7 2.5.1, 3.3.12), so this cancels the other one.
    other = message("A12", 50, I, "other", facility="N")
    assert last(ADMITTED, there, further, cancel, other).facts.facility == "N"


@pytest.mark.parametrize("trigger_event", ["A11", "A23"])
def test_a_cancelled_return_under_the_same_number_is_told_to_those_who_were_told_of_it(
    trigger_event: str,
) -> None:
    returned = message("A01", 120, I)
    decision = last(ADMITTED, DISCHARGED, returned, message(trigger_event, 130))
    (notice,) = decision.notices
    assert (notice.kind, notice.about) == ("cancel_admission", (returned.event.event_id,))
    assert decision.phase is Phase.LEFT


def test_an_update_after_a_transfer_does_not_keep_its_cancellation_from_being_told() -> None:
    moved = message("A02", 30, I, facility="X")
    update = message("A08", 40, I, facility="X")
    cancel = message("A12", 50, I, facility="N")
    assert told(ADMITTED, moved, update, cancel) == [("cancel_transfer", "told")]
    into_bed = message("A02", 30, I, facility="N")
    decision = last(VISITED, into_bed, message("A08", 40, I, facility="N"), message("A12", 50, E))
    assert [notice.kind for notice in decision.notices] == [EventKind.CANCEL_ADMISSION]
    assert decision.facts.encounter_class is E


def test_an_update_after_the_cancelled_transfer_still_shows_where_the_patient_is() -> None:
    moved, cancel = message("A02", 30, I, facility="X"), message("A12", 40, I, facility="N")
    there = message("A08", 50, I, facility="X")
    assert last(ADMITTED, moved, there, cancel).facts.facility == "X"


def test_a_cancelled_admission_after_an_a07_leaves_the_observation_stay() -> None:
    observed = message("A07", 30, OBS)
    for again_inpatient in (message("A01", 40, I), message("A06", 40, I)):
        decision = last(ADMITTED, observed, again_inpatient, message("A11", 50))
        assert [notice.about for notice in decision.notices] == [(again_inpatient.event.event_id,)]
        assert (decision.phase, decision.facts.encounter_class) == (Phase.IN, OBS)


DIED_BY_DISPOSITION = message(
    "A03", 60, died=True, disposition="20", disposition_says=DispositionSays.DEATH
)
WENT_HOME: dict[str, Any] = {"disposition": "01", "disposition_says": DispositionSays.NO_DEATH}


@pytest.mark.parametrize("trigger_event", ["A03", "A08"])
def test_a_disposition_corrected_from_death_to_home_takes_the_death_back(
    trigger_event: str,
) -> None:
    decision = last(ADMITTED, DIED_BY_DISPOSITION, message(trigger_event, 70, **WENT_HOME))
    assert [(one.kind, one.audience) for one in decision.notices] == [
        (EventKind.CANCEL_DEATH, Audience.TOLD),
        (EventKind.DISCHARGE, Audience.UNTOLD),
    ]
    assert decision.notices[0].about == (DIED_BY_DISPOSITION.event.event_id,)


def test_an_earlier_disposition_that_arrives_late_takes_no_death_back() -> None:
    assert told(ADMITTED, DIED_BY_DISPOSITION, message("A08", 30, **WENT_HOME)) == []


def test_a_disposition_takes_no_death_back_that_pid_30_told_and_tells_nobody_of_it() -> None:
    died = message("A08", 60, died=True)
    assert told(ADMITTED, died, message("A03", 70, **WENT_HOME)) == []
    assert told(ADMITTED, died, DIED_BY_DISPOSITION, message("A08", 70, **WENT_HOME)) == []


def test_a_cancelled_discharge_takes_back_the_death_that_an_update_of_its_disposition_told() -> (
    None
):
    corrected = message(
        "A08", 65, died=True, disposition="20", disposition_says=DispositionSays.DEATH
    )
    decision = last(VISITED, DISCHARGED, corrected, message("A13", 70))
    (notice,) = decision.notices
    assert notice.kind == EventKind.CANCEL_DEATH
    assert set(notice.about) == {DISCHARGED.event.event_id, corrected.event.event_id}


GIVEN_AWAY = message("A45", 30, patient="p2")


@pytest.mark.parametrize("trigger_event", ["A08", "A21", "A31", "A02"])
def test_a_message_of_the_old_patient_from_before_a_move_tells_nobody(trigger_event: str) -> None:
    late = message(trigger_event, 20, I, facility="N")
    assert told(ADMITTED, GIVEN_AWAY, late) == []
    assert told(ADMITTED, GIVEN_AWAY, late, message("A03", 60, patient="p2")) == [
        ("discharge", "team")
    ]


@pytest.mark.parametrize(
    "late",
    [
        message("A03", 25),
        message("A08", 25, died=True),
        message("A08", 40, I),
        message("A08", 20, I, recorded=40),
        message("A08", 20, I, patient="p3"),
    ],
)
def test_a_message_of_another_patient_after_a_move_that_says_more_is_for_a_person(
    late: EncounterMessage,
) -> None:
    with pytest.raises(IdentityConflictError):
        last(ADMITTED, GIVEN_AWAY, late)
