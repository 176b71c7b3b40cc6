"""The lists of an index hold what moto finds by looking at every item."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.functional.local.patches.speed.dynamodb.direct.world import (
    ITEMS,
    TABLE,
    Call,
    both,
    call,
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
    members.map(
        lambda new: ("batch_write_item", {"RequestItems": {"t": [{"PutRequest": {"Item": new}}]}})
    ),
    # moto answers these itself.
    members.map(
        lambda new: ("put_item", {"TableName": "t", "Item": new, "ReturnValues": "ALL_OLD"})
    ),
    keys.map(
        lambda old: ("delete_item", {"TableName": "t", "Key": old, "ReturnValues": "ALL_OLD"})
    ),
    members.map(lambda new: ("transact_write_items", {"TransactItems": [member("Put", Item=new)]})),
)
ASKED: Call = ("query", {**GROUPED, "IndexName": "all", "KeyConditionExpression": "#g = :g"})


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.lists(changes, max_size=6))
def test_an_index_follows_every_change_as_in_moto(dynamodb: Any, made: list[Call]) -> None:
    calls = [ASKED, *(each for change in made for each in (change, ASKED))]
    with pytest.MonkeyPatch.context() as patched:
        here, there = both(dynamodb, patched, calls)
    assert here == there


def test_a_read_that_moto_answers_keeps_the_lists(
    dynamodb: Any, left_to_moto: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that is made anew from here on is empty."""
    for each in ITEMS:
        dynamodb.put_item(TableName="t", Item=each)
    operation, asked = ASKED
    found = call(dynamodb, operation, **asked)
    assert found["Count"] == 2
    dynamodb.scan(TableName="t", Limit=10)
    assert left_to_moto == ["Scan"]
    monkeypatch.setattr("local.patches.speed.dynamodb.direct.indexes.keyed_items", lambda _: [])
    assert call(dynamodb, operation, **asked) == found


def test_an_index_over_an_attribute_that_had_another_type_follows_a_transaction(
    dynamodb: Any,
) -> None:
    """UpdateTable adds an index to items that it does not hold, for the type of their attribute."""
    without = {k: v for k, v in TABLE.items() if k != "GlobalSecondaryIndexes"}
    keys_alone = [
        each for each in TABLE["AttributeDefinitions"] if each["AttributeName"] != "group"
    ]
    dynamodb.create_table(**{**without, "TableName": "w", "AttributeDefinitions": keys_alone[:2]})
    dynamodb.put_item(TableName="w", Item=item("a", 1, group={"M": {"n": {"S": "g"}}}))
    index = TABLE["GlobalSecondaryIndexes"][0]
    dynamodb.update_table(
        TableName="w",
        AttributeDefinitions=TABLE["AttributeDefinitions"],
        GlobalSecondaryIndexUpdates=[{"Create": index}],
    )
    query: dict[str, Any] = {**ASKED[1], "TableName": "w"}
    assert dynamodb.query(**query)["Items"] == []
    written = [item(pk, 1, group={"S": "g"}, moment={"S": "1"}) for pk in ("b", "a")]
    condition = {"ConditionExpression": "attribute_not_exists(moment)"}
    dynamodb.transact_write_items(
        TransactItems=[{"Put": {"TableName": "w", "Item": each, **condition}} for each in written]
    )
    assert {each["pk"]["S"] for each in dynamodb.query(**query)["Items"]} == {"a", "b"}
