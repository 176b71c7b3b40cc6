"""`ens encounters`: what an operator reads of a stay, without a value of the patient."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from lambdas.delivery.ledger.context import LedgerContext
from lambdas.encounters.indexes import link
from lambdas.encounters.table import EncounterTable
from lambdas.track_encounter.message import EncounterMessage
from lambdas.track_encounter.tracking import track
from tests.support.encounter_table import table_of
from tests.support.encounters import NOON, PROFILE, E, I, message
from tests.support.trails import PROVIDER, told

Ens = Callable[..., Result]
VISIT, ADMITTED, AGAIN, LEFT = "a" * 32, "b" * 32, "c" * 32, "d" * 32
STAY = (
    message("A04", 0, E, VISIT, facility="N", unit="ED"),
    message("A06", 60, I, ADMITTED, facility="N", unit="4W", attending=True),
    message("A06", 60, I, AGAIN, facility="N", unit="4W", attending=True),
    message("A03", 240, I, LEFT, disposition="03", discharged_to="SNF77"),
)


@pytest.fixture
def table(aws: Any, context: LedgerContext) -> EncounterTable:
    """The table with one stay, of whose admission one provider was told."""
    for event_id in (VISIT, ADMITTED, AGAIN, LEFT):
        told(context, event_id, control_id=f"MSG-{event_id[0]}")
    made = table_of(context.client("dynamodb"))
    tracked(made, *STAY)
    return made


def tracked(table: EncounterTable, *messages: EncounterMessage) -> None:
    for one in messages:
        track(table, one, PROFILE, lambda: NOON)


def test_a_stay_is_shown_with_each_event_its_decision_and_who_was_told(
    table: EncounterTable, ens: Ens
) -> None:
    output = ens("encounters", "show", ADMITTED).output
    assert max(map(len, output.splitlines())) <= 80
    assert f"Stay {VISIT}  inpatient left" in output
    rows = [line.split() for line in output.splitlines()]
    shown = {row[0][0]: " ".join(row[3:]) for row in rows if row and len(row[0]) == 32}
    assert shown == {
        "a": "A04 ED registration",
        "b": "A06 Admission",
        "c": "A06 duplicate",
        "d": "A03 Discharge",
    }
    assert f"{PROVIDER[:11]} sent" in output


def test_a_stay_is_found_by_the_control_id_of_any_of_its_messages(
    table: EncounterTable, ens: Ens
) -> None:
    assert ens("encounters", "show", "MSG-d").output == ens("encounters", "show", VISIT).output


def test_no_place_code_or_time_of_birth_of_the_patient_is_shown(
    table: EncounterTable, ens: Ens
) -> None:
    for output in (
        ens("encounters", "show", VISIT).output,
        ens("encounters", "show", VISIT, "--json").output,
    ):
        for value in ("SNF77", "4W", "patient#k1.p1", "visit#k1.v1"):
            assert value not in output


def test_a_stay_names_its_patient_by_reference(table: EncounterTable, ens: Ens) -> None:
    link(table.context, "visit#k1.v1", VISIT, "k1.patient")
    assert json.loads(ens("encounters", "show", VISIT, "--json").output)["patient_ref"] == (
        "k1.patient"
    )


def test_a_stay_whose_number_another_patient_got_is_still_shown(
    context: LedgerContext, table: EncounterTable, ens: Ens
) -> None:
    told(context, "9" * 32)
    cancelled = message("A11", 10, E, "e" * 32, visit="v7")
    tracked(table, message("A04", 0, E, "9" * 32, visit="v7"), cancelled)
    tracked(table, message("A04", 20, E, "8" * 32, visit="v7", patient="p2"))
    shown = json.loads(ens("encounters", "show", "9" * 32, "--json").output)
    assert [one["trigger_event"] for one in shown["events"]] == ["A04", "A11"]


def test_an_event_without_a_stay_is_an_error_in_a_sentence(
    context: LedgerContext, ens: Ens
) -> None:
    told(context, VISIT)
    result = ens("encounters", "show", VISIT)
    assert (result.exit_code, "belongs to no stay" in result.output) == (1, True)


def test_cancellations_of_nothing_and_patients_never_admitted_are_listed(
    table: EncounterTable, ens: Ens
) -> None:
    tracked(table, message("A11", 100, event_id="e" * 32, visit="v8"))
    tracked(table, message("A08", 200, I, "f" * 32, visit="v9"))
    listed = json.loads(ens("encounters", "orphans", "--json").output)
    assert [(one["encounter_id"][0], one["why"]) for one in listed] == [
        ("f", "unbegun"),
        ("e", "orphan"),
    ]
    output = ens("encounters", "orphans").output
    assert "A11 cancels nothing" in output
    assert "A08 was never admitted" in output


def test_a_stay_leaves_the_list_when_its_admission_arrives(table: EncounterTable, ens: Ens) -> None:
    tracked(table, message("A08", 200, I, "f" * 32, visit="v9"))
    tracked(table, message("A01", 190, I, "7" * 32, visit="v9"))
    assert "Every cancellation found its stay" in ens("encounters", "orphans").output
