"""The counts of a sender's feed in the status table."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lambdas.common import status
from lambdas.common.aws.items import from_item
from lambdas.common.feed.counts import count, key_of
from lambdas.common.feed.shares import Signal
from lambdas.common.function.context import Context
from lambdas.common.function.settings import Settings
from tests.support.broken import refusing


@pytest.fixture
def context(aws: Any) -> Context:
    return Context(Settings.from_environment())


class StubRun:
    """A run of a step: the metrics and log lines that it was told."""

    attempt = 0

    def __init__(self, sender: str, attempt: int = 0) -> None:
        self.sender = sender
        self.attempt = attempt
        self.counted: list[str] = []
        self.logged: list[dict[str, Any]] = []
        self.logger = self

    def count(self, metric: str) -> None:
        self.counted.append(metric)

    def warning(self, text: str, **fields: Any) -> None:
        self.logged.append({"text": text, **fields})


def told(context: Context, sender: str, warned: bool, attempt: int = 0) -> StubRun:
    """Counts one message of the sender."""
    run = StubRun(sender, attempt)
    count(context, run, Signal.WARNINGS, warned)  # type: ignore[arg-type]
    return run


def item(context: Context, sender: str) -> dict[str, Any]:
    key = {"event_id": {"S": key_of(sender, Signal.WARNINGS)}}
    found = context.client("dynamodb").get_item(TableName="status", Key=key)
    return from_item(found["Item"])


def test_each_sender_has_counts_of_its_own(context: Context) -> None:
    told(context, "west", True)
    told(context, "west", False)
    told(context, "east", False)
    assert (item(context, "west")["part"], item(context, "west")["whole"]) == (1, 2)
    assert (item(context, "east")["part"], item(context, "east")["whole"]) == (0, 1)


def test_a_departure_is_reported_by_one_of_several_functions(context: Context) -> None:
    for _ in range(200):
        assert not told(context, "west", False).counted
    with ThreadPoolExecutor(4) as functions:
        runs = list(functions.map(lambda _: told(context, "west", True), range(16)))
    assert [metric for run in runs for metric in run.counted] == ["WarningsRose"]
    (line,) = (line for run in runs for line in run.logged)
    assert line["text"] == "far more messages of a sender have warnings than usual"
    assert (line["share_percent"], line["usual_percent"]) == (100, 0)
    assert line["messages"] >= 10
    counted = item(context, "west")
    assert counted["usual_whole"] >= 190
    assert counted["whole"] < 16


def test_an_event_does_not_wait_for_a_table_that_throttles(context: Context) -> None:
    with refusing(context.client("dynamodb"), "UpdateItem", "ThrottlingException"):
        assert not told(context, "west", True).counted


def test_a_message_that_is_tried_again_is_counted_once(context: Context) -> None:
    told(context, "west", True)
    told(context, "west", True, attempt=1)
    assert item(context, "west")["whole"] == 1


def test_counts_are_no_event_of_any_day(context: Context) -> None:
    told(context, "west", True)
    found = context.client("dynamodb").scan(TableName="status", IndexName="by_day")
    assert found["Items"] == []
    assert status.read(context, "west") is None
