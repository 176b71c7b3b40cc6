"""The encounters table on moto."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.encounters.items import SUMMARY_ATTRIBUTES
from lambdas.encounters.table import EncounterTable

NAME = "encounters"


@pytest.fixture
def dynamodb(environment: dict[str, str]) -> Iterator[Any]:
    """A boto3 DynamoDB client with an empty encounters table."""
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(
            TableName=NAME,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"}
                for name in ("pk", "patient_ref", "began_at", "due_shard", "due_at")
            ],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by_patient",
                    "KeySchema": _keys("patient_ref", "began_at"),
                    "Projection": {
                        "ProjectionType": "INCLUDE",
                        "NonKeyAttributes": list(SUMMARY_ATTRIBUTES),
                    },
                },
                {
                    "IndexName": "by_due",
                    "KeySchema": _keys("due_shard", "due_at"),
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                },
            ],
        )
        yield client


@pytest.fixture
def table(dynamodb: Any) -> EncounterTable:
    return EncounterTable(dynamodb, NAME)


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]
