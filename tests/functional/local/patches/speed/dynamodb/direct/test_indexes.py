"""The lists of an index hold what moto finds by looking at every item."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.functional.local.patches.speed.dynamodb.direct.world import (
    Call,
    both,
    item,
    key,
    member,
)

GROUPED: dict[str, Any] = {
    "TableName": "t",
    "ExpressionAttributeNames": {"#g": "group"},
    "ExpressionAttributeValues": {":g": {"S": "g"}},
}
members = st.builds(
    item,
    st.sampled_from("ab"),
    st.integers(1, 2),
    group=st.sampled_from([{"S": "g"}, {"S": "h"}]),
    moment=st.sampled_from([{"S": "1"}, {"S": "2"}]),
)
keys = st.builds(key, st.sampled_from("ab"), st.integers(1, 2))
changes = st.one_of(
    members.map(lambda new: ("put_item", {"TableName": "t", "Item": new})),
    keys.map(lambda old: ("delete_item", {"TableName": "t", "Key": old})),
    keys.map(
        lambda old: (
            "update_item",
            {
                **GROUPED,
                "Key": old,
                "UpdateExpression": "SET #g = :g, moment = if_not_exists(moment, :g)",
            },
        )
    ),
    # moto answers these itself.
    members.map(
        lambda new: ("put_item", {"TableName": "t", "Item": new, "ReturnValues": "ALL_OLD"})
    ),
    keys.map(
        lambda old: ("delete_item", {"TableName": "t", "Key": old, "ReturnValues": "ALL_OLD"})
    ),
    members.map(
        lambda new: ("batch_write_item", {"RequestItems": {"t": [{"PutRequest": {"Item": new}}]}})
    ),
    members.map(lambda new: ("transact_write_items", {"TransactItems": [member("Put", Item=new)]})),
)
ASKED: Call = ("query", {**GROUPED, "IndexName": "all", "KeyConditionExpression": "#g = :g"})


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(made=st.lists(changes, max_size=6))
def test_an_index_follows_every_change_as_in_moto(dynamodb: Any, made: list[Call]) -> None:
    calls = [ASKED, *(each for change in made for each in (change, ASKED))]
    with pytest.MonkeyPatch.context() as patched:
        here, there = both(dynamodb, patched, calls)
    assert here == there
