"""Whatever the order of arrival, a reader ends with the right picture, and hears nothing twice."""

import random

import pytest

from tests.support.encounter_stories import StayStory
from tests.support.encounters import play

SHUFFLES = 20


@pytest.mark.parametrize("seed", range(40))
def test_twenty_orders_of_arrival_end_in_the_same_picture(seed: int) -> None:
    chance = random.Random(seed)
    story = StayStory(chance).tell(chance.randint(2, 9))
    for shuffle in range(SHUFFLES):
        arriving = list(story)
        if shuffle:
            chance.shuffle(arriving)
        reader, _, encounter = play(arriving)
        assert reader.knows(encounter)
        assert not reader.twice


@pytest.mark.parametrize("seed", range(40))
def test_the_situation_does_not_depend_on_the_order_of_arrival(seed: int) -> None:
    chance = random.Random(seed)
    story = StayStory(chance).tell(8)
    _, _, first = play(story)
    arriving = list(story)
    chance.shuffle(arriving)
    _, _, other = play(arriving)
    assert first is not None
    assert other is not None
    assert sorted(one.event_id for one in first.events if one.trigger_event != "A08") == sorted(
        one.event_id for one in other.events if one.trigger_event != "A08"
    )
