"""Update expressions: the same items and errors as in moto, parsed once."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.patches.speed.dynamodb import expressions

UPDATES = [
    "SET a = :one, b = if_not_exists(b, :list), #c = :one REMOVE d",
    "SET a = a + :one, b = list_append(b, :list) DELETE e :set",
    "SET #c = :one, b[0] = :one ADD a :one, f :set",
    "SET event_id = :one",
    "SET a = missing + :one",
    "SET a = :one, a = :one",
]
VALUES = {":one": {"N": "1"}, ":list": {"L": [{"S": "x"}]}, ":set": {"SS": ["s"]}}


def updated(dynamodb: Any, table: str) -> list[Any]:
    """The item or the error after each update of `UPDATES`."""
    found: list[Any] = []
    for expression in UPDATES:
        try:
            answer = dynamodb.update_item(
                TableName=table,
                Key={"event_id": {"S": "e"}},
                UpdateExpression=expression,
                ExpressionAttributeValues={k: v for k, v in VALUES.items() if k in expression},
                **({"ExpressionAttributeNames": {"#c": "c"}} if "#c" in expression else {}),
                ReturnValues="ALL_NEW",
            )
            found.append(answer["Attributes"])
        except ClientError as error:
            found.append(str(error))
    return found


def test_an_update_does_what_it_does_in_moto(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dynamodb = aws.client("dynamodb")
    changed = updated(dynamodb, "status")
    dynamodb.delete_item(TableName="status", Key={"event_id": {"S": "e"}})
    monkeypatch.setattr(
        expressions.DepthFirstTraverser, "traverse_node_recursively", expressions._traverse
    )
    monkeypatch.setattr(expressions.UpdateExpressionParser, "make", expressions._make)
    assert updated(dynamodb, "status") == changed
    assert sum(isinstance(result, str) for result in changed) >= 3
