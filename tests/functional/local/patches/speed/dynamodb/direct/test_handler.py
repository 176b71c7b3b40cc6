"""Calls that are answered from the JSON get the answers that moto gives, and leave the same items."""

import copy
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler

from local.patches import speed
from local.patches.speed.dynamodb.direct import handler
from local.patches.speed.dynamodb.direct.calls import CALLS

Call = tuple[str, dict[str, Any]]

MOTO = handler._moto

TABLE = {
    "TableName": "t",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "N"},
        {"AttributeName": "group", "AttributeType": "S"},
        {"AttributeName": "moment", "AttributeType": "S"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": name,
            "KeySchema": [
                {"AttributeName": "group", "KeyType": "HASH"},
                {"AttributeName": "moment", "KeyType": "RANGE"},
            ],
            "Projection": projection,
        }
        for name, projection in (
            ("all", {"ProjectionType": "ALL"}),
            ("some", {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["count"]}),
        )
    ],
}


@pytest.fixture
def dynamodb(environment: dict[str, str]) -> Iterator[Any]:
    speed.install()
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(**TABLE)
        client.create_table(**{**TABLE, "TableName": "u"})
        yield client


@pytest.fixture
def left_to_moto(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The operations of the calls that moto answered, as they come."""
    seen: list[str] = []

    def counted(own: DynamoHandler, request: Any, *rest: Any) -> Any:
        seen.append(request.headers["X-Amz-Target"].partition(".")[2])
        return MOTO(own, request, *rest)

    monkeypatch.setattr(handler, "_moto", counted)
    return seen


def key(pk: str, sk: int) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"N": str(sk)}}


def item(pk: str, sk: int, **attributes: Any) -> dict[str, Any]:
    return {**key(pk, sk), **attributes}


ITEMS = [
    item("a", 1, group={"S": "g"}, moment={"S": "2"}, count={"N": "3"}, tags={"SS": ["x", "y"]}),
    item("a", 2, group={"S": "g"}, moment={"S": "1"}, open={"BOOL": True}, note={"S": "née"}),
    item("a", 10, group={"S": "h"}, moment={"S": "3"}, listed={"L": [{"N": "1"}, {"NULL": True}]}),
    item("b", 1, group={"S": "g"}, map={"M": {"deep": {"M": {"n": {"N": "1.5"}}}}}),
]


def call(dynamodb: Any, operation: str, **parameters: Any) -> Any:
    """The answer without its metadata, or the error."""
    try:
        answer = getattr(dynamodb, operation)(**parameters)
    except ClientError as error:
        return error.response["Error"], error.response.get("Item"), operation
    answer.pop("ResponseMetadata")
    return answer


def stored(dynamodb: Any) -> Any:
    """Every item of both tables, as a scan returns them."""
    return [
        sorted(
            dynamodb.scan(TableName=table)["Items"],
            key=lambda each: json.dumps(each["pk"]) + each["sk"]["N"],
        )
        for table in ("t", "u")
    ]


def outcome(dynamodb: Any, calls: list[Call]) -> Any:
    """The answers to the calls on fresh items, and the items afterwards."""
    for table in ("t", "u"):
        for each in dynamodb.scan(TableName=table)["Items"]:
            dynamodb.delete_item(TableName=table, Key={"pk": each["pk"], "sk": each["sk"]})
    for each in ITEMS:
        dynamodb.put_item(TableName="t", Item=each)
    answers = [call(dynamodb, operation, **copy.deepcopy(asked)) for operation, asked in calls]
    return answers, stored(dynamodb)


def both(dynamodb: Any, monkeypatch: pytest.MonkeyPatch, calls: list[Call]) -> tuple[Any, Any]:
    """The outcomes of the calls here, and in moto alone."""
    here = outcome(dynamodb, calls)
    with monkeypatch.context() as patched:
        patched.setattr(DynamoHandler, "_dispatch", MOTO)
        there = outcome(dynamodb, calls)
    return here, there


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
    update("SET #n = #n + :one, extra = if_not_exists(extra, :text)"),
    update("SET #n = #n - :half"),
    update("ADD #n :one"),
    update("ADD fresh :half"),
    update("ADD tags :set"),
    update("DELETE tags :set"),
    update("REMOVE tags, gone SET m = :map"),
    update("SET listed = list_append(listed, :more)", sk=10),
    update("SET listed = list_append(if_not_exists(nothing, :more), :more)", pk="new"),
    update("SET #o = :true", pk="new", sk=7),
    update("SET #n = :one", "#n > :one"),
    update("SET #n = :one", "#n < :one", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
    update("SET #n = :one", "attribute_not_exists(#n)"),
    update("SET #n = :one", "attribute_not_exists(pk) OR (#n >= :one AND attribute_exists(tags))"),
    update("SET #n = :one", "NOT (#n = :half) AND note <> :text", sk=2),
    update("SET x = :one", "#n BETWEEN :half AND :one"),
    update("SET x = :one", "note IN (:text, :one)", sk=2),
    update("SET x = :one", "begins_with(note, :text)", sk=2),
    update("SET #n = :one", ReturnValues="UPDATED_NEW"),
    update("SET #n = #n + :one", ReturnValues="UPDATED_NEW"),
    update("SET #n = :one", ReturnValues="ALL_OLD"),
    update("SET #n = :one", ReturnValues="NONE"),
]
"""Each is answered from the JSON."""

UNUSUAL = [
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


def member(kind: str, **parameters: Any) -> dict[str, Any]:
    return {kind: {"TableName": "t", **parameters}}


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
    compared |= {"transact_write_items"}
    assert {function.__name__ for function in CALLS.values()} == compared


scalars = st.one_of(
    st.builds(lambda text: {"S": text}, st.text(max_size=3)),
    st.builds(lambda number: {"N": str(number)}, st.integers(-9, 9)),
    st.builds(lambda truth: {"BOOL": truth}, st.booleans()),
)
comparisons = st.sampled_from(
    ["v = :x", "v <> :x", "attribute_exists(v)", "attribute_not_exists(v)", "v IN (:x, :y)"]
)
conditions: st.SearchStrategy[str] = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds("{} AND {}".format, inner, inner),
        st.builds("({}) OR {}".format, comparisons, inner),
        st.builds("NOT {}".format, comparisons),
    ),
    max_leaves=4,
)


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(condition=conditions, stored_value=st.none() | scalars, x=scalars, y=scalars)
def test_any_condition_decides_as_in_moto(
    dynamodb: Any,
    condition: str,
    stored_value: dict[str, Any] | None,
    x: dict[str, Any],
    y: dict[str, Any],
) -> None:
    values = {name: value for name, value in ((":x", x), (":y", y)) if name in condition}
    before = item("p", 1) if stored_value is None else item("p", 1, v=stored_value)

    def decided(dispatch: Callable[..., Any]) -> Any:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(DynamoHandler, "_dispatch", dispatch)
            dynamodb.put_item(TableName="t", Item=before)
            return call(
                dynamodb,
                "delete_item",
                TableName="t",
                Key=key("p", 1),
                ConditionExpression=condition,
                **({"ExpressionAttributeValues": values} if values else {}),
            )

    assert decided(handler._dispatch) == decided(MOTO)


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
