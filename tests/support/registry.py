"""The registry of the local system, in moto."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import boto3

from lambdas.common.aws.items import to_item
from lambdas.registry.importing.plan import items_of_folder

SEEDS = Path(__file__).resolve().parents[2] / "samples" / "registry"
BATCH = 25
"""Items of a BatchWriteItem request, at most (DynamoDB API reference)."""


def file_all(items: Iterable[dict[str, Any]]) -> None:
    """Files plain items in the registry's table."""
    left = iter(items)
    while batch := [{"PutRequest": {"Item": to_item(item)}} for item in islice(left, BATCH)]:
        boto3.client("dynamodb").batch_write_item(RequestItems={"registry": batch})


def seed_registry() -> None:
    """Files the patients and providers of the local system."""
    file_all(items_of_folder(SEEDS))
