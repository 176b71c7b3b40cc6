"""The counts of a sender's feed in the status table."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lambdas.common import status
from lambdas.common.aws.items import from_item
from lambdas.common.context import Context
from lambdas.common.feed.counts import count, key_of
from lambdas.common.feed.shares import Signal
from lambdas.common.settings import Settings
from tests.support.broken import refusing


@pytest.fixture
def context(aws: Any) -> Context:
    return Context(Settings.from_environment())


def item(context: Context, sender: str) -> dict[str, Any]:
    key = {"event_id": {"S": key_of(sender, Signal.WARNINGS)}}
    found = context.client("dynamodb").get_item(TableName="status", Key=key)
    return from_item(found["Item"])


def test_each_sender_has_counts_of_its_own(context: Context) -> None:
    count(context, "west", Signal.WARNINGS, True)
    count(context, "west", Signal.WARNINGS, False)
    count(context, "east", Signal.WARNINGS, False)
    assert (item(context, "west")["part"], item(context, "west")["whole"]) == (1, 2)
    assert (item(context, "east")["part"], item(context, "east")["whole"]) == (0, 1)


def test_a_departure_is_reported_by_one_of_several_functions(context: Context) -> None:
    for _ in range(200):
        assert not count(context, "west", Signal.WARNINGS, False)
    with ThreadPoolExecutor(4) as functions:
        found = functions.map(lambda _: count(context, "west", Signal.WARNINGS, True), range(16))
    assert sum(found) == 1
    counted = item(context, "west")
    assert counted["usual_whole"] >= 190
    assert counted["whole"] < 16


def test_an_event_does_not_wait_for_a_table_that_throttles(context: Context) -> None:
    with refusing(context.client("dynamodb"), "UpdateItem", "ThrottlingException"):
        assert not count(context, "west", Signal.WARNINGS, True)


def test_counts_are_no_event_of_any_day(context: Context) -> None:
    count(context, "west", Signal.WARNINGS, True)
    found = context.client("dynamodb").scan(TableName="status", IndexName="by_day")
    assert found["Items"] == []
    assert status.read(context, "west") is None
