"""The encounters table on moto."""

from typing import Any

import pytest

from lambdas.encounters.table import EncounterTable
from tests.support.encounter_table import table_of


@pytest.fixture
def dynamodb(aws: Any) -> Any:
    """A boto3 DynamoDB client of an environment without encounters."""
    return aws.client("dynamodb")


@pytest.fixture
def table(dynamodb: Any) -> EncounterTable:
    return table_of(dynamodb)
