"""Feeds as hospitals send them, message by message, and when their shares are reported."""

import random
from collections.abc import Iterable

import pytest

from lambdas.common.feed.shares import Share, Signal, judge


def reports(signal: Signal, messages: Iterable[bool]) -> list[int]:
    """The numbers of the messages at which the feed is reported, counted from 0."""
    window, usual, found = Share(), Share(), []
    for number, counted in enumerate(messages):
        window = Share(window.part + counted, window.whole + 1)
        verdict = judge(signal, window, usual)
        if verdict.departs:
            found.append(number)
        if verdict.ends:
            window, usual = Share(), usual.plus(window)
    return found


def feed(share: float, count: int, seed: int = 1) -> list[bool]:
    chance = random.Random(seed)
    return [chance.random() < share for _ in range(count)]


@pytest.mark.parametrize("share", [0.0, 0.005, 0.05, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("signal", Signal)
def test_a_steady_feed_is_not_reported(signal: Signal, share: float) -> None:
    if signal is Signal.KNOWN_PATIENTS and share == 0:
        return  # nobody is ever known: reported, see below
    for seed in range(20):
        assert reports(signal, feed(share, 5_000, seed)) == []


def test_a_feed_whose_messages_begin_to_have_warnings_is_reported_at_the_tenth() -> None:
    assert reports(Signal.WARNINGS, [False] * 1_000 + [True] * 10) == [1_009]


def test_a_rise_from_a_twentieth_to_a_half_of_all_messages_is_reported_within_sixty() -> None:
    (first, *_) = reports(Signal.WARNINGS, feed(0.05, 2_000) + feed(0.5, 100))
    assert 2_000 < first < 2_060


def test_a_new_sender_has_no_usual_share_of_warnings_yet() -> None:
    assert reports(Signal.WARNINGS, [True] * 99) == []


@pytest.mark.parametrize(("share", "within"), [(0.9, 80), (0.5, 150), (0.1, 800), (0.02, 4_000)])
def test_a_hospital_that_falls_silent_is_reported_whatever_share_was_known(
    share: float, within: int
) -> None:
    """The first window may hold messages from before: at most twice 25 expected patients, and those."""
    before = 20_000
    found = reports(Signal.KNOWN_PATIENTS, feed(share, before) + [False] * within)
    assert found
    assert before < found[0] < before + within


def test_a_hospital_of_which_nobody_was_ever_known_is_reported_after_a_thousand_look_ups() -> None:
    assert reports(Signal.KNOWN_PATIENTS, [False] * 3_000) == [999, 1_999, 2_999]


def test_a_silence_is_reported_again_as_long_as_it_lasts_and_its_end_is_not() -> None:
    found = reports(Signal.KNOWN_PATIENTS, [True] * 500 + [False] * 500 + [True] * 500)
    assert len(found) > 5
    assert all(500 <= number < 1_000 for number in found)
