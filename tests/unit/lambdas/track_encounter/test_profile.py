"""A sender's file decides how its encounters are understood; all else is as for every sender."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from environments import load
from lambdas.common.contracts.encounters.encounter import DecisionReason, Effect, EncounterClass
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.track_encounter.profile import EncounterProfile, profile_of
from tests.conftest import ROOT
from tests.support.encounters import E, I, message, play
from tests.unit.environments.files import ENVIRONMENT, SENDER, SMOKE, write

SCHEMA = json.loads((ROOT / "environments" / "sender.schema.json").read_text())
TABLE = SCHEMA["properties"]["encounters"]["properties"]


@pytest.fixture
def profile(tmp_path: Path) -> EncounterProfile:
    """The profile of a sender whose file sets every key, read from the document that is deployed."""
    write(tmp_path, ENVIRONMENT, west=SENDER, smoke=SMOKE)
    load.cache_clear()
    document = json.loads(load("west", tmp_path).configuration())
    return profile_of("west", next(one for one in document["senders"] if one["name"] == "west"))


def test_every_key_of_the_file_reaches_the_rules(profile: EncounterProfile) -> None:
    assert profile.load
    assert profile.class_of("O", "ed") is EncounterClass.EMERGENCY
    assert profile.class_of("O", "CDU") is EncounterClass.OBSERVATION
    assert profile.class_of("O", "OBS") is EncounterClass.OBSERVATION
    assert profile.effects == {"A04": Effect.UPDATE}
    assert profile.stale(EventKind.DEATH) == timedelta(days=365)
    assert profile.stale(EventKind.DISCHARGE) == timedelta(days=30)
    assert profile.settle_seconds[EventKind.ADMISSION] == 90
    assert profile.settle_seconds[EventKind.DISCHARGE] == 60
    assert profile.closes_after(EncounterClass.EMERGENCY) == timedelta(days=2)
    assert profile.closes_after(EncounterClass.INPATIENT) == timedelta(days=120)
    assert profile.facility_of("annex") == "WEST"


def test_a_sender_without_the_table_has_the_defaults_of_every_sender() -> None:
    profile = profile_of("north", {"default_assigning_authority": "NORTH"})
    assert profile == EncounterProfile(name="north", default_authority="NORTH")


def test_the_file_may_name_every_effect_kind_and_class_and_no_other() -> None:
    assert set(TABLE["effects"]["additionalProperties"]["enum"]) == set(Effect)
    assert set(SCHEMA["definitions"]["kind"]["enum"]) == set(EventKind) - {EventKind.NONE}
    classes = {str(one) or "unknown" for one in EncounterClass}
    assert set(TABLE["close_after_days"]["propertyNames"]["enum"]) == classes


def test_any_is_the_age_of_every_kind_that_is_not_given() -> None:
    rules = {"encounters": {"stale_after_days": {"any": 90, "death": 365}}}
    profile = profile_of("north", rules)
    assert profile.stale(EventKind.UPDATE) == timedelta(days=90)
    assert profile.stale(EventKind.DEATH) == timedelta(days=365)


def test_a_sender_that_loads_its_data_tells_nobody() -> None:
    loading = EncounterProfile(name="NORTHGEN", load=True)
    _, loaded, _ = play([message("A04", 0, E), message("A06", 60, I)], loading)
    assert [(one.notices, one.reason) for one in loaded] == [((), DecisionReason.LOAD)] * 2


def test_an_event_is_stale_by_the_days_of_its_kind() -> None:
    strict = replace(
        EncounterProfile(name="NORTHGEN"), stale_after={EventKind.ADMISSION: timedelta(hours=1)}
    )
    _, (admitted, left), _ = play([message("A01", 0, I), message("A03", 60, I)], strict)
    assert admitted.reason is DecisionReason.STALE_EVENT
    assert [notice.kind for notice in left.notices] == [EventKind.DISCHARGE]
