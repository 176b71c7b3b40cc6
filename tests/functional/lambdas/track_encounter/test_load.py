"""A hospital that loads its data tells nobody, and its stays are known afterwards."""

import json
from itertools import islice
from typing import Any

import pytest

from bench.encounters.hospitals import Hospitals
from bench.encounters.memory import MemoryStore
from lambdas.encounters.context import EncountersContext, EncountersSettings
from lambdas.track_encounter.profile import EncounterProfile
from lambdas.track_encounter.tracking import track
from tests.functional.lambdas.track_encounter.test_handler import run, task_of
from tests.support import configuration
from tests.support.encounters import NOON

EVENTS, MESSAGES = 3_000, 150
STAY = ("admission", "bed_move", "transfer", "discharge")


def deploy(load: bool, monkeypatch: pytest.MonkeyPatch) -> EncountersContext:
    """The context of TrackEncounter with a sender whose file says `load`, or not."""
    sender = {
        "name": "northgen",
        "encounters": {"load": load, "stale_after_days": {"discharge": 3650}},
    }
    configuration.deploy(json.dumps({"version": 1, "senders": [sender]}), monkeypatch)
    return EncountersContext(EncountersSettings.from_environment())


@pytest.mark.slow
def test_a_load_through_the_function_tells_nobody(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = deploy(True, monkeypatch)
    told = [
        run(context, task_of(context, STAY[number % 3], number, V884213=f"V{number // 3}"))
        for number in range(MESSAGES)
    ]
    assert {(one["notifiable"], one["event_kind"]) for one in told} == {(False, "")}
    items = context.client("dynamodb").scan(TableName="encounters")["Items"]
    assert len({item["encounter_id"]["S"] for item in items if "version" in item}) == MESSAGES // 3
    # The hospital goes live: the discharge of a loaded stay is told.
    live = deploy(False, monkeypatch)
    left = run(live, task_of(live, "discharge", MESSAGES, V884213="V7"))
    assert left["event_kind"] == "discharge"
    assert left["encounter_ref"] == told[7 * 3]["encounter_ref"]


def test_a_year_of_hospitals_tells_nobody_while_it_is_loaded() -> None:
    """`make bench-encounters ARGS="--load --events 100000"` plays a hundred thousand events."""
    store = MemoryStore()
    loading = {f"HOSPITAL{n}": EncounterProfile(name=f"HOSPITAL{n}", load=True) for n in range(3)}
    notices = [
        notice
        for message in islice(Hospitals(3, 1).messages(), EVENTS)
        for notice in track(store, message, loading[message.sender], lambda: NOON).notices
    ]
    assert notices == []
    assert len(store.homes) > EVENTS / 20
