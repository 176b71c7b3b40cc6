"""DynamoDB transactions: all or nothing, and no dearer for a table that has grown."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table

from local.aws.clients import ACCOUNT, REGION


@pytest.fixture
def dynamodb(aws: Any) -> Any:
    """A client of a moto whose transactions are ours, as in every test (tests/conftest.py)."""
    return boto3.client("dynamodb")


def entry(sequence: str, **more: str) -> dict[str, Any]:
    texts = {"event_id": "e", "sk": sequence, **more}
    return {name: {"S": text} for name, text in texts.items()}


def put(sequence: str, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": "audit", "Item": entry(sequence), **more}}


def update(status: str) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": "status",
            "Key": {"event_id": {"S": "e"}},
            "UpdateExpression": "SET #s = :s",
            "ExpressionAttributeNames": {"#s": "status"},
            "ExpressionAttributeValues": {":s": {"S": status}},
        }
    }


def status(dynamodb: Any) -> str:
    item = dynamodb.get_item(TableName="status", Key={"event_id": {"S": "e"}})["Item"]
    text: str = item["status"]["S"]
    return text


FAILS = put("1", ConditionExpression="attribute_exists(never)")


def test_a_transaction_that_holds_is_there_whole(dynamodb: Any) -> None:
    dynamodb.transact_write_items(TransactItems=[update("OPEN"), put("1")])

    assert status(dynamodb) == "OPEN"
    assert "Item" in dynamodb.get_item(TableName="audit", Key=entry("1"))


def test_one_that_fails_leaves_an_updated_item_as_it_was(dynamodb: Any) -> None:
    dynamodb.put_item(TableName="status", Item={"event_id": {"S": "e"}, "status": {"S": "OPEN"}})

    with pytest.raises(ClientError, match="TransactionCanceledException"):
        dynamodb.transact_write_items(TransactItems=[update("COMPLETED"), FAILS])

    assert status(dynamodb) == "OPEN"


def test_one_that_fails_leaves_no_new_item_and_removes_none(dynamodb: Any) -> None:
    dynamodb.put_item(TableName="audit", Item=entry("0", action="RECEIVED"))
    delete = {"Delete": {"TableName": "audit", "Key": entry("0")}}

    with pytest.raises(ClientError, match="TransactionCanceledException"):
        dynamodb.transact_write_items(TransactItems=[put("2"), delete, update("OPEN"), FAILS])

    found = dynamodb.scan(TableName="audit")["Items"]
    assert [item["sk"]["S"] for item in found] == ["0"]
    assert dynamodb.scan(TableName="status")["Items"] == []


def test_no_item_of_a_table_is_copied_for_a_put_elsewhere_in_it(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        dynamodb.put_item(TableName="audit", Item=entry(str(number)))
    table = dynamodb_backends[ACCOUNT][REGION].tables["audit"]
    kept = len(vars(Table)["instances_tracked"])
    before = {id(item) for group in table.items.values() for item in group.values()}

    with pytest.raises(ClientError, match="TransactionCanceledException"):
        dynamodb.transact_write_items(TransactItems=[FAILS])

    now = dynamodb_backends[ACCOUNT][REGION].tables["audit"]
    assert {id(item) for group in now.items.values() for item in group.values()} == before
    assert len(vars(Table)["instances_tracked"]) == kept
