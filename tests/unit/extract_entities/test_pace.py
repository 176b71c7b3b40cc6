import time

import pytest

from lambdas.extract_entities import settings
from lambdas.extract_entities.comprehend import _Pace, _TooLateError


class Clock:
    """A clock that only waiting moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def begun(pace: _Pace, clock: Clock, count: int) -> list[float]:
    times = []
    for _ in range(count):
        pace.wait(float("inf"))
        times.append(round(clock.now - 100, 3))
    return times


@pytest.mark.parametrize(
    ("rate", "times"),
    [
        (2, [0, 0, 0.5, 1.0, 1.5]),
        (1, [0, 1, 2, 3, 4]),
        (0.5, [0, 2, 4, 6, 8]),
        (4, [0, 0, 0, 0, 0.25]),
    ],
)
def test_a_seconds_worth_goes_at_once_and_the_rest_at_the_rate(
    rate: float, times: list[float], clock: Clock
) -> None:
    assert begun(_Pace(rate), clock, 5) == times


def test_a_pause_gives_the_seconds_worth_back_and_no_more(clock: Clock) -> None:
    pace = _Pace(2)
    begun(pace, clock, 4)
    clock.sleep(60)
    start = clock.now - 100
    assert [round(t - start, 3) for t in begun(pace, clock, 3)] == [0, 0, 0.5]


def test_whoever_would_come_too_late_is_told_at_once_and_takes_nobodys_place(clock: Clock) -> None:
    pace = _Pace(1)
    pace.wait(101)
    for _ in range(3):
        with pytest.raises(_TooLateError):
            pace.wait(100.5)
    assert clock.now == 100
    pace.wait(102)
    assert clock.now == 101


@pytest.mark.parametrize(
    ("rate", "functions", "share"),
    [("40", "20", 2), ("100", "20", 5), ("40", "", 2), ("", "40", 1)],
)
def test_a_functions_share_is_the_accounts_rate_divided_by_how_many_there_are(
    rate: str, functions: str, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENS_COMPREHEND_RATE", rate)
    monkeypatch.setenv("ENS_COMPREHEND_FUNCTIONS", functions)
    settings.rate.cache_clear()
    assert settings.rate() == share
    settings.rate.cache_clear()
