"""The ledger's table: its keys, reading an item, and the one function that changes an item."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws import item_reads
from lambdas.common.aws.clients import dependency
from lambdas.common.aws.items import Item, from_item, to_item
from lambdas.common.clock import expiry
from lambdas.delivery.ledger.context import LedgerContext


class Prefix(StrEnum):
    """The first part of the key of an item that is no delivery; a delivery's key is 32 hex digits.

    ExtractEntities keeps one more item of the prefix `rate` (lambdas/extract_entities/comprehend_medical/turns.py).
    """

    ACCOUNT = "account"
    CERTIFICATE = "certificate"
    ENCOUNTER = "encounter"
    ENDPOINT = "endpoint"
    RATE = "rate"
    REPAIR = "repair"
    SWITCH = "switch"

    def key(self, *parts: str) -> str:
        """The key of the item that these parts name."""
        return "#".join((self, *parts))


@dataclass(frozen=True, slots=True)
class Update:
    """`item` is the item after the update, or as it is where the condition failed (empty: no item)."""

    applied: bool
    item: Item


def read_item(context: LedgerContext, key: str) -> Item:
    """The item, read consistently; empty when there is none."""
    return item_reads.read_item(context, context.settings.ledger_table, {"delivery_id": key})


def read_several(context: LedgerContext, keys: Iterable[str]) -> dict[str, Item]:
    """The items by key, read consistently with one call; a missing one is absent."""
    wanted = ({"delivery_id": key} for key in keys)
    found = item_reads.read_items(context, context.settings.ledger_table, wanted)
    return {item["delivery_id"]: item for item in found}


def replace_item(context: LedgerContext, item: Item) -> None:
    """Writes an item, or replaces the one of its key."""
    with dependency("dynamodb"):
        context.client("dynamodb").put_item(
            TableName=context.settings.ledger_table, Item=to_item(item)
        )


def update(
    context: LedgerContext,
    key: str,
    changes: Item,
    condition: str = "",
    values: Item | None = None,
    *,
    add: Item | None = None,
    once: Item | None = None,
) -> Update:
    """Sets the attributes `changes` of an item in one write, if the condition holds.

    A change to None removes the attribute. `add` adds to numbers and sets. `once` sets attributes that
    the item lacks. The condition writes attributes as `#name`, and its own `values` as `:name`. DynamoDB
    deletes a delivery or an encounter's item `stored_days.ledger` after its newest change.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
    """
    if _expires(key):
        changes = {**changes, "expires_at": expiry(context.settings.stored_days.ledger)}
    written = {name: value for name, value in changes.items() if value is not None}
    add, once = add or {}, once or {}
    clauses = {
        "SET": [
            *(f"#{name} = :new_{name}" for name in written),
            *(f"#{name} = if_not_exists(#{name}, :new_{name})" for name in once),
        ],
        "REMOVE": [f"#{name}" for name in changes if name not in written],
        "ADD": [f"#{name} :new_{name}" for name in add],
    }
    expression = " ".join(f"{verb} {', '.join(acts)}" for verb, acts in clauses.items() if acts)
    new = {f":new_{name}": value for name, value in (written | add | once).items()}
    try:
        with dependency("dynamodb"):
            answer = context.client("dynamodb").update_item(
                TableName=context.settings.ledger_table,
                Key=to_item({"delivery_id": key}),
                UpdateExpression=expression,
                **({"ConditionExpression": condition} if condition else {}),
                ExpressionAttributeNames=_names(f"{expression} {condition}"),
                ExpressionAttributeValues=to_item({**new, **(values or {})}),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return Update(False, from_item(error.response.get("Item", {})))
    return Update(True, from_item(answer["Attributes"]))


def query(
    context: LedgerContext, index: str, condition: str, values: Item, **more: Any
) -> Iterator[dict[str, Any]]:
    """The pages of DynamoDB's answers about an index."""
    names = _names(f"{condition} {more.get('FilterExpression', '')}")
    with dependency("dynamodb"):
        yield from (
            context.client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=context.settings.ledger_table,
                IndexName=index,
                KeyConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=to_item(values),
                **more,
            )
        )


def _expires(key: str) -> bool:
    """Whether the item is about a patient: a delivery (its key has no prefix), or an encounter's."""
    prefix, found, _ = key.partition("#")
    return not found or prefix == Prefix.ENCOUNTER


def _names(expression: str) -> dict[str, str]:
    return {f"#{name}": name for name in re.findall(r"#(\w+)", expression)}
