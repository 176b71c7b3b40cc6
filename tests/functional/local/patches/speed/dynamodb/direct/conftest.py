"""The DynamoDB of moto with two tables."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler

from local.patches import speed
from local.patches.speed.dynamodb.direct import handler
from tests.functional.local.patches.speed.dynamodb.direct.world import MOTO, TABLE


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
