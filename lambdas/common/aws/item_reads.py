"""Reads items of a DynamoDB table: by their keys, always consistently, or by a Query."""

import random
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lambdas.common.aws.clients import HasClients, dependency
from lambdas.common.aws.items import Item, expressed, from_item, to_item
from lambdas.common.errors import DependencyUnavailableError

BATCH = 100
"""Keys that one BatchGetItem takes."""

TRIES = 4
"""How often keys that DynamoDB left unprocessed are asked for before it counts as throttling."""


def read_item(context: HasClients, table: str, key: Mapping[str, str]) -> Item:
    """The item with this key; empty when there is none."""
    with dependency("dynamodb"):
        answer = context.client("dynamodb").get_item(
            TableName=table, Key=to_item(dict(key)), ConsistentRead=True
        )
    return from_item(answer.get("Item", {}))


def read_items(context: HasClients, table: str, keys: Iterable[Mapping[str, str]]) -> list[Item]:
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


def _batch(context: HasClients, table: str, wanted: list[dict[str, Any]]) -> list[Item]:
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


def query(
    context: HasClients, table: str, condition: str, values: Item, **more: Any
) -> Iterator[Item]:
    """Yields every item of a Query on a table, or on an index of it (`IndexName`), as `pages`."""
    for page in pages(context.client("dynamodb"), table, condition, values, **more):
        yield from map(from_item, page["Items"])


def pages(
    client: Any, table: str, condition: str, values: Item, **more: Any
) -> Iterator[dict[str, Any]]:
    """Yields the answers to a Query, page by page.

    Condition, filter and projection write attributes as `#name`, and the `values` as `:name`. `client` is
    the DynamoDB client, `more` are further parameters of Query. Raises `DependencyUnavailableError`.
    """
    texts = (condition, more.get("FilterExpression", ""), more.get("ProjectionExpression", ""))
    with dependency("dynamodb"):
        yield from client.get_paginator("query").paginate(
            TableName=table,
            KeyConditionExpression=condition,
            **expressed(" ".join(texts), values),
            **more,
        )
