"""The encounters in memory decide as those in the table do, and are bounded."""

from datetime import datetime

import pytest

from bench.encounters.hospitals import Hospitals
from bench.encounters.memory import MemoryStore
from lambdas.encounters.store import EncounterStore
from lambdas.track_encounter.message import EncounterMessage
from lambdas.track_encounter.profile import EncounterProfile
from lambdas.track_encounter.tracking import track
from ops.feed.checking.encounters import EncounterMemory

PROFILE = EncounterProfile(name="HOSPITAL0")


def decided(store: EncounterStore, messages: list[EncounterMessage]) -> list[object]:
    return [
        track(store, one, PROFILE, lambda one=one: datetime.fromisoformat(one.received_at))  # type: ignore[misc]
        for one in messages
    ]


@pytest.fixture(scope="module")
def messages() -> list[EncounterMessage]:
    generator = Hospitals(1, 7).messages()
    once = {one.event.event_id: one for one, _ in zip(generator, range(1500), strict=False)}
    return list(once.values())


def test_they_decide_as_the_benchmarks_table(messages: list[EncounterMessage]) -> None:
    assert decided(EncounterMemory(), messages) == decided(MemoryStore(), messages)


def test_the_oldest_are_forgotten_with_their_keys(messages: list[EncounterMessage]) -> None:
    memory = EncounterMemory(maximum=20)
    decided(memory, messages)
    assert len(memory._homes) == 20
    assert set(memory._aliases.values()) <= set(memory._homes)
    assert memory.forgotten > 20
