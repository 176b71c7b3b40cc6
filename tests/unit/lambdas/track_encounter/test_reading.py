"""A message's own fields become the facts that the rules need."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.common.contracts.encounters.encounter import EncounterClass
from lambdas.common.keys import KeyRing
from lambdas.parse_message.read_event import read_event
from lambdas.track_encounter.message import EncounterMessage
from lambdas.track_encounter.profile import EncounterProfile
from lambdas.track_encounter.reading import CONTRADICTING_DEATH, IMPLAUSIBLE_TIME, encounter_message
from tests.support.encounters import play

PROFILE = EncounterProfile(name="NORTHGEN", default_authority="NORTHGEN")
RECEIVED = "2026-11-23T12:00:00.000Z"
K1 = KeyRing("k1", {"k1": b"one"})


def read(
    trigger_event: str = "A01",
    *,
    msh: str = "P",
    msh7: str = "20261123101500+0000",
    received: str = RECEIVED,
    evn2: str = "20261123100000+0000",
    evn6: str = "",
    pid: dict[int, str] | None = None,
    pv1: dict[int, str] | None = None,
    more: str = "",
    profile: EncounterProfile = PROFILE,
    ring: KeyRing = K1,
) -> EncounterMessage:
    """A message of Northtown General, as the rules read it."""
    lines = [
        f"MSH|^~\\&|ADTSYS|NORTHGEN|||{msh7}||ADT^{trigger_event}|1|{msh}|2.5.1",
        f"EVN|{trigger_event}|{evn2}||||{evn6}",
        segment("PID", {3: "H1^^^NORTHGEN^MR", 7: "19580214", **(pid or {})}),
        segment("PV1", {2: "I", 3: "4W^1^A^NORTHGEN", 19: "V1", **(pv1 or {})}),
        more,
    ]
    raw = "\r".join(filter(None, lines)).encode()
    event = read_event(raw, "e1", "NORTHGEN")
    return encounter_message(event, profile, ring, received)


def segment(name: str, fields: dict[int, str]) -> str:
    return "|".join([name, *(fields.get(n, "") for n in range(1, max(fields) + 1))])


@pytest.mark.parametrize(
    ("trigger_event", "fields", "expected"),
    [
        ("A01", {"evn6": "20261123090000+0000"}, ("2026-11-23T09:00:00.000Z", "EVN-6")),
        ("A01", {"pv1": {44: "20261123080000+0000"}}, ("2026-11-23T08:00:00.000Z", "PV1-44")),
        ("A03", {"pv1": {45: "20261123080000+0000"}}, ("2026-11-23T08:00:00.000Z", "PV1-45")),
        ("A03", {"pv1": {44: "20261123080000+0000"}}, ("2026-11-23T10:00:00.000Z", "EVN-2")),
        ("A01", {"evn2": ""}, ("2026-11-23T10:15:00.000Z", "MSH-7")),
        ("A13", {"evn6": "20261123090000+0000"}, ("2026-11-23T10:00:00.000Z", "EVN-2")),
        ("A01", {"pv1": {44: "20261123"}}, ("2026-11-23T10:00:00.000Z", "EVN-2")),
        ("A01", {"pv1": {44: "20261120"}}, ("2026-11-20T00:00:00.000Z", "PV1-44")),
    ],
)
def test_the_time_of_an_event_comes_from_the_first_field_that_has_one(
    trigger_event: str, fields: dict[str, Any], expected: tuple[str, str]
) -> None:
    event = read(trigger_event, **fields).event
    assert (event.at, event.time_source) == expected


@pytest.mark.parametrize(
    "admitted", ["19700101", "20261125080000+0000", "19580101"], ids=["1970", "future", "unborn"]
)
def test_a_time_that_cannot_be_true_is_left_out_with_a_warning(admitted: str) -> None:
    message = read(pv1={44: admitted})
    assert message.event.time_source == "EVN-2"
    assert IMPLAUSIBLE_TIME in message.warnings


def test_events_are_sorted_by_their_occurrence_and_cancellations_by_their_recording() -> None:
    assert read("A02", evn6="20261123090000+0000").event.order == "2026-11-23T09:00:00.000Z"
    assert read("A12", evn6="20261123090000+0000").event.order == "2026-11-23T10:00:00.000Z"


@pytest.mark.parametrize(
    ("evn2", "msh7", "received", "expected"),
    [
        ("202611231015+0000", "20261123101530+0000", "10:15:33.000", "10:15:30.000"),
        ("202611231015+0000", "202611231015+0000", "10:15:33.120", "10:15:33.120"),
        ("202611231015+0000", "202611231016+0000", "10:16:02.000", "10:15:59.999"),
        ("20261123", "20261123051530-0500", "10:15:33.000", "10:15:30.000"),
        ("20261123101507+0000", "20261123101530+0000", "10:15:33.000", "10:15:07.000"),
        ("20261123111500+0000", "20261123101530+0000", "10:15:33.000", "10:15:33.000"),
    ],
    ids=["by MSH-7", "by receipt", "within its minute", "date", "seconds", "not after its receipt"],
)
def test_a_time_without_seconds_is_completed_so_that_events_of_one_minute_keep_their_order(
    evn2: str, msh7: str, received: str, expected: str
) -> None:
    message = read(evn2=evn2, msh7=msh7, received=f"2026-11-23T{received}Z")
    assert message.event.order == f"2026-11-23T{expected}Z"


def test_an_admission_its_cancellation_and_the_next_admission_of_one_minute_are_told_in_turn() -> (
    None
):
    minute = "202611231015+0000"
    sent = [
        read(trigger, evn2=minute, msh7=minute, received=f"2026-11-23T10:15:{second}.000Z")
        for trigger, second in (("A01", "05"), ("A11", "20"), ("A01", "40"))
    ]
    numbered = [
        replace(one, event=replace(one.event, event_id=f"e{number}"))
        for number, one in enumerate(sent)
    ]
    _, decisions, _ = play(numbered, now=datetime(2026, 11, 23, 10, 16, tzinfo=UTC))
    kinds = [notice.kind for one in decisions for notice in one.notices]
    assert kinds == ["admission", "cancel_admission", "admission"]


def test_every_visit_number_is_a_key_in_any_order_and_without_blanks() -> None:
    one = read(pv1={19: "V1~0042 ", 50: "ALT"})
    other = read(pv1={19: " 0042~V1", 50: "ALT"})
    assert set(one.keys.visit) == set(other.keys.visit)
    assert len(one.keys.visit) == 3


def test_an_identifier_that_a_sender_writes_twice_is_one_key() -> None:
    # Many senders fill PID-2 and PID-3 alike, or send one number as MR and as PI.
    one = read(
        pid={2: "H1", 3: "H1^^^NORTHGEN^MR~H1^^^NORTHGEN^PI"}, pv1={44: "20261123080000+0000"}
    )
    assert len(one.keys.patient) == len(one.keys.patient_time) == len(one.patient_keys) == 1
    _, (decision,), _ = play([one], now=datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
    assert [notice.kind for notice in decision.notices] == ["admission"]


def test_an_account_number_and_the_time_of_admission_are_keys() -> None:
    message = read(pid={18: "A1"}, pv1={44: "20261123080000+0000"})
    assert len(message.keys.account) == len(message.keys.patient_time) == 1


def test_a_move_names_the_numbers_that_it_replaces() -> None:
    message = read("A45", more="MRG|H9^^^NORTHGEN^MR||A9||V9^^^NORTHGEN")
    assert message.prior_keys.visit == read(pv1={19: "V9"}).keys.visit
    assert message.prior_patient_keys == read(pid={3: "H9^^^NORTHGEN^MR"}).patient_keys


def test_a_prior_identifier_without_an_authority_has_that_of_the_surviving_one() -> None:
    plain = EncounterProfile(name="NORTHGEN")
    merged = read("A40", pid={3: "H1^^^NG^MR"}, more="MRG|H9", profile=plain)
    assert merged.prior_patient_keys == read(pid={3: "H9^^^NG"}, profile=plain).patient_keys
    by_default = read("A40", pid={3: "H1^^^NG^MR"}, more="MRG|H9")
    assert by_default.prior_patient_keys == read(pid={3: "H9^^^NORTHGEN"}).patient_keys


def test_an_identifier_without_an_authority_has_the_senders() -> None:
    assert read(pid={3: "H1"}).patient_keys == read().patient_keys


@pytest.mark.parametrize(
    ("code", "unit", "expected"),
    [
        ("E", "ED", EncounterClass.EMERGENCY),
        ("V", "4W", EncounterClass.OBSERVATION),
        ("OBS", "4W", EncounterClass.OBSERVATION),
        ("O", "OBS", EncounterClass.OBSERVATION),
        ("O", "FAST", EncounterClass.EMERGENCY),
        ("O", "CLIN", EncounterClass.OUTPATIENT),
        ("I", "OBS", EncounterClass.INPATIENT),
        ("", "4W", EncounterClass.INPATIENT),
    ],
)
def test_the_class_comes_from_the_code_and_the_unit(
    code: str, unit: str, expected: EncounterClass
) -> None:
    profile = EncounterProfile(name="NORTHGEN", emergency_units=frozenset({"FAST"}))
    message = read(pv1={2: code, 3: f"{unit}^1^A^NORTHGEN"}, profile=profile)
    assert message.event.encounter_class is expected


@pytest.mark.parametrize(
    ("now", "before", "same"),
    [
        ("4W^1^1^NORTH&1&NPI", "3W^1^1^north", True),
        ("4W^1^1^SOUTH", "3W^1^1^NORTH", False),
        ("4W^1^1^&1&NPI", "3W^1^1^&2&NPI", False),
    ],
)
def test_a_facility_is_the_same_in_capitals_and_with_a_universal_id(
    now: str, before: str, same: bool
) -> None:
    event = read("A02", pv1={3: now, 6: before}).event
    assert (event.facility == event.facility_before) is same


def test_codes_of_one_facility_are_one_facility() -> None:
    profile = EncounterProfile(name="NORTHGEN", facilities={"NGH": "NORTHGEN"})
    assert read(pv1={3: "4W^1^A^ngh"}, profile=profile).event.facility == "NORTHGEN"


@pytest.mark.parametrize(
    ("pid30", "disposition", "died", "warnings"),
    [
        ("Y", "", True, ()),
        ("", "20", True, ()),
        ("N", "01", False, ()),
        ("", "01", None, ()),
        ('""', "01", False, ()),
        ('""', "", None, ()),
        ("N", "20", None, (CONTRADICTING_DEATH,)),
    ],
)
def test_a_death_needs_clear_evidence(
    pid30: str, disposition: str, died: bool | None, warnings: tuple[str, ...]
) -> None:
    message = read("A03", pid={30: pid30}, pv1={36: disposition})
    assert (message.event.died, message.warnings) == (died, warnings)


@pytest.mark.parametrize(
    ("trigger_event", "pid30", "disposition", "says"),
    [
        ("A03", "", "20", "death"),
        ("A03", "Y", "20", ""),
        ("A03", "", "01", "no_death"),
        ("A08", "", "03^Skilled nursing facility", "no_death"),
        ("A08", "", "HOM", ""),
        ("A01", "", "01", ""),
        ("A13", "", "20", ""),
    ],
)
def test_a_disposition_speaks_of_a_death_where_pid_30_does_not(
    trigger_event: str, pid30: str, disposition: str, says: str
) -> None:
    event = read(trigger_event, pid={30: pid30}, pv1={36: disposition}).event
    assert event.disposition_says == says


def test_a_death_long_before_the_encounter_contradicts_it() -> None:
    message = read("A04", pid={29: "20200101", 30: "Y"})
    assert message.event.died is None
    assert CONTRADICTING_DEATH in message.warnings


def test_protections_are_named_by_their_position() -> None:
    message = read(pv1={16: "VIP"}, more="ARV|1|A|DEM^all\rDG1|1||B20|||A||||||||||||Y")
    assert message.protections == ("PV1-16", "DG1-18", "ARV")


@pytest.mark.parametrize(
    ("msh", "load"), [("P^I", True), ("P^A", True), ("P^T", False), ("P", False)]
)
def test_an_initial_load_says_so(msh: str, load: bool) -> None:
    assert read(msh=msh).load is load


def test_an_event_keeps_its_receipt_and_the_time_of_a_later_recording() -> None:
    discharged = read("A03", evn6="20261123090000+0000").event
    assert discharged.order == "2026-11-23T09:00:00.000Z"
    assert discharged.recorded_at == "2026-11-23T10:00:00.000Z"
    assert discharged.received_at == RECEIVED
    assert read("A13", evn6="20261123090000+0000").event.recorded_at == ""
