"""Calls that are answered from the JSON get the answers that moto gives, and leave the same items."""

import threading
from typing import Any

import pytest

from local.patches.speed.dynamodb.direct.calls import CALLS
from tests.functional.local.patches.speed.dynamodb.direct.world import (
    ITEMS,
    Call,
    both,
    call,
    item,
    key,
    member,
)


def update(expression: str, condition: str = "", pk: str = "a", sk: int = 1, **more: Any) -> Call:
    """An UpdateItem with the values and names that its expressions use."""
    text = expression + " " + condition
    names = {name: value for name, value in NAMES.items() if name in text.replace("(", " ").split()}
    names |= {name: value for name, value in NAMES.items() if name in text}
    values = {name: value for name, value in VALUES.items() if name in text}
    return "update_item", {
        "TableName": "t",
        "Key": key(pk, sk),
        "UpdateExpression": expression,
        **({"ConditionExpression": condition} if condition else {}),
        **({"ExpressionAttributeNames": names} if names else {}),
        **({"ExpressionAttributeValues": values} if values else {}),
        "ReturnValues": "ALL_NEW",
        **more,
    }


NAMES = {"#n": "count", "#o": "open"}
VALUES = {
    ":one": {"N": "1"},
    ":half": {"N": "0.5"},
    ":text": {"S": "née"},
    ":true": {"BOOL": True},
    ":more": {"L": [{"S": "x"}]},
    ":set": {"SS": ["y", "z"]},
    ":map": {"M": {"a": {"L": []}}},
}

UPDATES = [
    update("SET #n = :one"),
    update("SET #n = :one, extra = if_not_exists(extra, :text), tags = if_not_exists(tags, :set)"),
    update("ADD #n :one"),
    update("ADD fresh :half"),
    update("ADD tags :set"),
    update("REMOVE tags, gone SET m = :map"),
    update("SET #o = :true", pk="new", sk=7),
    update("SET #n = :one", "#n > :one"),
    update("SET #n = :one", "#n < :one", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
    update("SET #n = :one", "attribute_not_exists(#n)"),
    update("SET #n = :one", "#n <> :half AND note <> :text", sk=2),
    update("SET #n = :one", "attribute_not_exists(pk) OR (#n >= :one AND attribute_exists(tags))"),
    update("SET x = :one", "#n BETWEEN :half AND :one"),
    update("SET x = :one", "note IN (:text, :one)", sk=2),
    update("SET x = :one", "begins_with(note, :text)", sk=2),
    update("SET #n = :one", ReturnValues="NONE"),
]
"""Each is answered from the JSON."""

UNUSUAL = [
    update("SET #n = #n + :one, extra = if_not_exists(extra, :text)"),
    update("SET #n = #n - :half"),
    update("DELETE tags :set"),
    update("SET listed = list_append(listed, :more)", sk=10),
    update("SET listed = list_append(if_not_exists(nothing, :more), :more)", pk="new"),
    update("SET #n = :one", "NOT (#n = :half) AND note <> :text", sk=2),
    update("SET #n = :one", ReturnValues="UPDATED_NEW"),
    update("SET #n = #n + :one", ReturnValues="UPDATED_NEW"),
    update("SET #n = :one", ReturnValues="ALL_OLD"),
    update("SET #n = missing + :one"),
    update("SET pk = :text"),
    update("SET a = :one, a = :half"),
    update("SET map.deep = :one", pk="b"),
    update("SET listed[0] = :one", sk=10),
    update("SET status = :one"),
    update("ADD note :one", sk=2),
    update("SET"),
    update("SET x = :one", "((#n = :one))"),
    update("SET x = :one", "size(note) > :one", sk=2),
    update("SET x = :absent"),
    update("SET x = :one", ExpressionAttributeNames={"#unused": "u"}),
    update("SET #n = :one", ReturnValues="UPDATED_OLD"),
    update("SET moment = :one"),
]
"""Each is left to moto, faults included."""


@pytest.mark.parametrize("asked", UPDATES, ids=lambda each: each[1]["UpdateExpression"])
def test_an_update_is_that_of_moto(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch, left_to_moto: list[str], asked: Call
) -> None:
    here, there = both(dynamodb, monkeypatch, [asked])
    assert here == there
    assert left_to_moto.count("UpdateItem") == 0


@pytest.mark.parametrize("asked", UNUSUAL, ids=lambda each: each[1]["UpdateExpression"])
def test_what_moto_may_refuse_is_left_to_moto(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch, left_to_moto: list[str], asked: Call
) -> None:
    here, there = both(dynamodb, monkeypatch, [asked])
    assert here == there
    assert left_to_moto.count("UpdateItem") == 1


def query(condition: str, values: dict[str, Any], **more: Any) -> Call:
    asked = {"KeyConditionExpression": condition, "ExpressionAttributeValues": values}
    return "query", {"TableName": "t", **asked, **more}


A, G = {"S": "a"}, {"S": "g"}
OF_GROUP: dict[str, Any] = {"IndexName": "all", "ExpressionAttributeNames": {"#g": "group"}}


def get(projection: str, names: dict[str, str] | None = None, pk: str = "a") -> Call:
    asked = {"TableName": "t", "Key": key(pk, 1), "ProjectionExpression": projection}
    return "get_item", {**asked, **({"ExpressionAttributeNames": names} if names else {})}


def batch(*requests: dict[str, Any]) -> Call:
    return "batch_write_item", {"RequestItems": {"t": requests}}


PROJECTED = {"ProjectionExpression": "#n, pk", "ExpressionAttributeNames": {"#n": "count"}}
READS: list[Call] = [
    ("get_item", {"TableName": "t", "Key": key("a", 1), "ConsistentRead": True}),
    ("get_item", {"TableName": "t", "Key": key("none", 1)}),
    get("pk, moment, extra"),
    get("#n, moment", {"#n": "count"}),
    get("note", pk="none"),
    ("batch_get_item", {"RequestItems": {"t": {"Keys": [key("a", 1), key("x", 1), key("b", 1)]}}}),
    query("pk = :p", {":p": A}),
    query("pk = :p", {":p": A}, ScanIndexForward=False),
    query("pk = :p AND sk > :s", {":p": A, ":s": {"N": "1"}}),
    query("pk = :p AND sk BETWEEN :s AND :e", {":p": A, ":s": {"N": "2"}, ":e": {"N": "10"}}),
    query("pk = :p", {":p": A, ":n": {"S": "née"}}, FilterExpression="note = :n"),
    query("pk = :p", {":p": A}, Select="COUNT"),
    query("pk = :p", {":p": A}, Limit=5),
    query("#g = :g", {":g": G}, **OF_GROUP),
    query("#g = :g AND begins_with(moment, :a)", {":g": G, ":a": {"S": "2"}}, **OF_GROUP),
    query("#g = :g", {":g": G}, **{**OF_GROUP, "IndexName": "some"}),
    ("scan", {"TableName": "t", "ConsistentRead": True}),
    *(
        ("scan", {"TableName": "t", **PROJECTED, "Segment": part, "TotalSegments": 2})
        for part in (0, 1)
    ),
]


@pytest.mark.parametrize(
    "asked", READS, ids=lambda each: each[1].get("KeyConditionExpression", each[0])
)
def test_a_read_is_that_of_moto(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch, left_to_moto: list[str], asked: Call
) -> None:
    here, there = both(dynamodb, monkeypatch, [asked])
    assert here == there
    assert set(left_to_moto) <= {"Scan"}


@pytest.mark.parametrize(
    "asked",
    [
        query("pk = :p", {":p": A}, Limit=1),
        query("sk = :p", {":p": {"N": "1"}}),
        query("pk = :p", {":p": {"N": "1"}}),
        ("get_item", {"TableName": "t", "Key": {"pk": A}}),
        ("get_item", {"TableName": "none", "Key": key("a", 1)}),
        get("map.deep", pk="b"),
        get("status"),
        get("note, note"),
        get("note, #unknown"),
        get("note", {"#unused": "count"}),
        ("scan", {"TableName": "t", "Limit": 1}),
        ("scan", {"TableName": "t", "Segment": 0}),
        ("scan", {"TableName": "t", "Segment": 2, "TotalSegments": 2}),
        batch({"PutRequest": {"Item": item("a", 1)}}, {"PutRequest": {"Item": item("c", 1)}}),
        batch({"PutRequest": {"Item": item("c", 1)}}, {"DeleteRequest": {"Key": key("a", 1)}}),
        batch({"PutRequest": {"Item": item("c", 1)}}, {"PutRequest": {"Item": item("c", 1)}}),
        batch({"PutRequest": {"Item": item("c", 1)}}, {"PutRequest": {"Item": {"pk": A}}}),
        ("put_item", {"TableName": "t", "Item": {"pk": A}}),
        ("put_item", {"TableName": "t", "Item": item("a", 1, n={"N": "one"})}),
        ("put_item", {"TableName": "t", "Item": item("a", 1, group={"S": ""})}),
        ("put_item", {"TableName": "t", "Item": item("a", 1, big={"S": "x" * 410_000})}),
        ("put_item", {"TableName": "t", "Item": item("a", 5, b={"B": b"\x00"})}),
    ],
    ids=lambda each: each[0] + each[1].get("KeyConditionExpression", ""),
)
def test_a_faulty_or_rare_call_gets_the_answer_of_moto(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch, asked: Call
) -> None:
    here, there = both(dynamodb, monkeypatch, [asked])
    assert here == there


ABSENT = {"ConditionExpression": "attribute_not_exists(pk)"}
TRANSACTIONS = {
    "all succeed": [
        member("Put", Item=item("c", 1), **ABSENT),
        {"Put": {"TableName": "u", "Item": item("c", 1)}},
        member(
            "Update",
            **{k: v for k, v in UPDATES[1][1].items() if k not in ("TableName", "ReturnValues")},
        ),
        member("Delete", Key=key("b", 1)),
    ],
    "the last fails": [
        member("Put", Item=item("c", 1)),
        member("Put", Item=item("a", 1), **ABSENT),
    ],
    "the first fails, and its item is returned": [
        member(
            "Put",
            Item=item("a", 1),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
            **ABSENT,
        ),
        member("Put", Item=item("c", 1), **ABSENT),
    ],
    "one item twice, on a condition that fails": [
        member("Put", Item=item("a", 1), **ABSENT),
        member("Delete", Key=key("a", 1)),
    ],
    "one item twice": [member("Put", Item=item("c", 1)), member("Delete", Key=key("c", 1))],
    "a table that is none": [
        member("Put", Item=item("c", 1)),
        {"Put": {"TableName": "none", "Item": item("c", 1)}},
    ],
}


@pytest.mark.parametrize("members", TRANSACTIONS.values(), ids=TRANSACTIONS)
def test_a_transaction_writes_all_or_nothing_as_in_moto(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch, members: list[dict[str, Any]]
) -> None:
    asked = ("transact_write_items", {"TransactItems": members})
    here, there = both(dynamodb, monkeypatch, [asked])
    assert here == there


def test_items_that_moto_changes_in_place_are_read_as_they_are_then(dynamodb: Any) -> None:
    dynamodb.put_item(TableName="t", Item=ITEMS[3])
    dynamodb.update_item(
        TableName="t",
        Key=key("b", 1),
        UpdateExpression="SET #m.deep.n = :n",
        ExpressionAttributeNames={"#m": "map"},
        ExpressionAttributeValues={":n": {"N": "2"}},
    )
    found = dynamodb.get_item(TableName="t", Key=key("b", 1))["Item"]
    assert found["map"] == {"M": {"deep": {"M": {"n": {"N": "2"}}}}}


def test_threads_that_count_up_at_once_lose_nothing(dynamodb: Any) -> None:
    def count() -> None:
        for _ in range(25):
            call(dynamodb, *update("ADD #n :one", sk=99)[:1], **update("ADD #n :one", sk=99)[1])

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dynamodb.get_item(TableName="t", Key=key("a", 99))["Item"]["count"] == {"N": "100"}


def test_every_call_of_a_stored_item_is_one_that_is_compared_here() -> None:
    compared = {each[0] for each in [*READS, *UPDATES]} | {"put_item", "delete_item"}
    compared |= {"batch_write_item", "transact_write_items"}
    assert {function.__name__ for function in CALLS.values()} == compared
