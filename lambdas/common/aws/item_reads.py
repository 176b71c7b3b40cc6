"""Reads items of a DynamoDB table: by their keys, always consistently, or by a Query."""

import random
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lambdas.common.aws.clients import dependency
from lambdas.common.aws.items import Item, from_item, to_item
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.function.context import Context

BATCH = 100
"""Keys that one BatchGetItem takes."""

TRIES = 4
"""How often keys that DynamoDB left unprocessed are asked for before it counts as throttling."""


def read_item(context: Context, table: str, key: Mapping[str, str]) -> Item:
    """The item with this key; empty when there is none."""
    with dependency("dynamodb"):
        answer = context.client("dynamodb").get_item(
            TableName=table, Key=to_item(dict(key)), ConsistentRead=True
        )
    return from_item(answer.get("Item", {}))


def read_items(context: Context, table: str, keys: Iterable[Mapping[str, str]]) -> list[Item]:
    """The items with these keys (attribute names and texts), a hundred with one call; a missing one is absent.

    Every key is asked for once. Raises `DependencyUnavailableError` when DynamoDB throttles or cannot be
    reached.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
    """
    unique = list({tuple(sorted(one.items())): one for one in keys}.values())
    found = []
    for start in range(0, len(unique), BATCH):
        wanted = [
            {name: {"S": text} for name, text in one.items()}
            for one in unique[start : start + BATCH]
        ]
        found += _batch(context, table, wanted)
    return found


def _batch(context: Context, table: str, wanted: list[dict[str, Any]]) -> list[Item]:
    found: list[Item] = []
    request: dict[str, Any] = {table: {"Keys": wanted, "ConsistentRead": True}}
    for attempt in range(TRIES):
        if attempt:
            time.sleep(random.uniform(0, 0.05 * 2**attempt))
        with dependency("dynamodb"):
            answer = context.client("dynamodb").batch_get_item(RequestItems=request)
        found += map(from_item, answer["Responses"].get(table, ()))
        request = answer.get("UnprocessedKeys", {})
        if not request:
            return found
    raise DependencyUnavailableError("dynamodb BatchGetItem: keys stay unprocessed")


def query(client: Any, table: str, **arguments: Any) -> Iterator[Item]:
    """Yields every item of a Query on a table or an index of it, page by page.

    `client` is the DynamoDB client. Raises `DependencyUnavailableError`.
    """
    with dependency("dynamodb"):
        for page in client.get_paginator("query").paginate(TableName=table, **arguments):
            yield from map(from_item, page["Items"])
