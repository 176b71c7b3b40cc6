"""Two tables with indexes, and the outcomes of calls to them: answered from the JSON, and by moto alone."""

import copy
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.responses import DynamoHandler

from local.patches.speed.dynamodb.direct import handler

Call = tuple[str, dict[str, Any]]

MOTO = handler._moto

TABLE: dict[str, Any] = {
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
    """Every item of both tables, as moto's scan returns them: it alone knows a limit."""
    return [
        sorted(
            dynamodb.scan(TableName=table, Limit=100)["Items"],
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


def member(kind: str, **parameters: Any) -> dict[str, Any]:
    return {kind: {"TableName": "t", **parameters}}
