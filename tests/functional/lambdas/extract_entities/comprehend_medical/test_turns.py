"""Turns at Comprehend Medical: one clock for all functions, in DynamoDB."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from lambdas.common.audit import chain
from lambdas.common.clock import iso
from lambdas.extract_entities import extracting
from lambdas.extract_entities.comprehend_medical import comprehend
from lambdas.extract_entities.comprehend_medical.turns import BURST_SECONDS, take
from lambdas.extract_entities.context import ExtractContext
from tests.functional.lambdas.extract_entities.conftest import EVENT_ID, RunStep
from tests.support.broken import refusing

NOON = 1_800_000_000.0
COST = 0.1


def turns(
    context: ExtractContext, count: int, moment: float = NOON, latest: float = NOON + 90
) -> list[float | None]:
    """So many turns asked for at one moment, relative to it."""
    found = [take(context, COST, moment, latest) for _ in range(count)]
    return [None if turn is None else round(turn - moment, 3) for turn in found]


def test_after_a_pause_a_quarter_of_a_second_goes_at_once_and_the_rest_at_the_rate(
    context: ExtractContext,
    aws: Any,
) -> None:
    assert turns(context, 6) == [
        0,
        0,
        0,
        pytest.approx(0.05),
        pytest.approx(0.15),
        pytest.approx(0.25),
    ]


def test_over_a_burst_no_second_has_more_than_the_quota_and_its_allowance(
    context: ExtractContext, aws: Any
) -> None:
    begun = [turn for turn in turns(context, 200) if turn is not None]
    for second in range(int(max(begun))):
        used = sum(1 for turn in begun if second <= turn < second + 1) * COST
        assert used <= 1 + BURST_SECONDS + COST


def test_a_turn_that_would_be_too_late_is_not_taken(context: ExtractContext, aws: Any) -> None:
    assert turns(context, 20, latest=NOON + 0.5)[-1] is None
    # What was refused has moved nobody back.
    assert turns(context, 1)[0] == turns(context, 20)[0] - COST  # type: ignore[operator]


def test_the_quota_of_a_quiet_time_is_not_saved_up(context: ExtractContext, aws: Any) -> None:
    turns(context, 1)
    assert turns(context, 4, moment=NOON + 600, latest=NOON + 700)[-1] == pytest.approx(0.05)


def test_functions_that_ask_at_the_same_time_get_different_turns(
    context: ExtractContext, aws: Any
) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: take(context, COST, NOON, NOON + 90), range(40)))
    waiting = [turn for turn in found if turn is not None and turn > NOON]
    assert len(set(waiting)) == len(waiting) >= 36


def busy(context: ExtractContext, seconds: float) -> None:
    """Lets the turns of the next so many seconds be taken."""
    take(context, seconds + BURST_SECONDS, time.time(), time.time() + 1)


def test_in_a_burst_the_step_says_when_its_turn_is_and_asks_nothing(
    context: ExtractContext, run_step: RunStep
) -> None:
    busy(context, 20)
    with refusing(context.client("comprehendmedical", comprehend.CONFIG), "*", "Unasked") as asked:
        result = run_step("Has gout.")
    assert asked == []
    assert result["outcome"] == "deferred"
    assert 18 <= result["wait_seconds"] <= 20
    assert chain.entries(context, EVENT_ID) == []


def test_with_its_turn_the_step_takes_no_other_and_finds(
    context: ExtractContext, run_step: RunStep
) -> None:
    busy(context, 20)
    turn = run_step("Has gout.")["turn"]
    with patch.object(extracting.time, "time", lambda: turn / 1000 - 0.2):  # type: ignore[attr-defined]
        result = run_step("Has gout.", turn=turn)
    assert (result["outcome"], result["conditions"], result["unanswered"]) == ("extracted", 1, 0)


def test_an_event_that_would_wait_too_long_goes_on_at_once_without_findings(
    context: ExtractContext, run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENS_FINDINGS_WAIT_SECONDS", "10")
    busy(context, 20)
    result = run_step("Has gout.")
    assert result["outcome"] == "unavailable"
    assert result["unanswered"] > 0
    assert chain.entries(context, EVENT_ID)[-1]["result"] == "unavailable"


def test_a_note_that_was_analysed_before_waits_for_no_turn(
    context: ExtractContext, run_step: RunStep
) -> None:
    run_step("Has gout.")
    busy(context, 20)
    assert run_step("Has gout.")["outcome"] == "extracted"


def test_the_wait_is_counted_from_the_start_of_the_workflow(
    context: ExtractContext, run_step: RunStep
) -> None:
    busy(context, 20)
    begun = iso(datetime.now(UTC) - timedelta(seconds=80))
    assert run_step("Has gout.", started_at=begun)["outcome"] == "unavailable"
