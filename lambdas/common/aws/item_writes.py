"""Changes an item of a DynamoDB table in one write, on a condition."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws.clients import HasClients, dependency
from lambdas.common.aws.items import Item, expressed, from_item, to_item


@dataclass(frozen=True, slots=True)
class Update:
    """`item` is the item after the update, or as it is where the condition failed (empty: no item)."""

    applied: bool
    item: Item


def update(
    context: HasClients,
    table: str,
    key: Mapping[str, str],
    changes: Item,
    *,
    condition: str = "",
    values: Item | None = None,
    add: Mapping[str, Any] | None = None,
    once: Item | None = None,
) -> Update:
    """Sets the attributes `changes` of an item in one write, if the condition holds. Creates a missing item.

    A change to None removes the attribute. `add` adds to numbers and sets. `once` sets attributes that
    the item lacks. The condition writes attributes as `#name`, and its own `values` as `:name`.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
    """
    written = {name: value for name, value in changes.items() if value is not None}
    add, once = add or {}, once or {}
    names = {**changes, **add, **once}
    # A name may have characters that a placeholder may not, such as `consent#c-1`.
    at = {
        name: name if re.fullmatch(r"\w+", name) else f"_{number}"
        for number, name in enumerate(names)
    }
    clauses = {
        "SET": [
            *(f"#{at[name]} = :new_{at[name]}" for name in written),
            *(f"#{at[name]} = if_not_exists(#{at[name]}, :new_{at[name]})" for name in once),
        ],
        "REMOVE": [f"#{at[name]}" for name in changes if name not in written],
        "ADD": [f"#{at[name]} :new_{at[name]}" for name in add],
    }
    expression = " ".join(f"{verb} {', '.join(acts)}" for verb, acts in clauses.items() if acts)
    new = {f":new_{at[name]}": value for name, value in {**written, **add, **once}.items()}
    try:
        with dependency("dynamodb"):
            answer = context.client("dynamodb").update_item(
                TableName=table,
                Key=to_item(dict(key)),
                UpdateExpression=expression,
                **({"ConditionExpression": condition} if condition else {}),
                **expressed(
                    condition,
                    {**new, **(values or {})},
                    **{place: name for name, place in at.items()},
                ),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return Update(False, from_item(error.response.get("Item", {})))
    return Update(True, from_item(answer["Attributes"]))


def put(table: str, item: Item, condition: str = "", values: Item | None = None) -> dict[str, Any]:
    """The member of TransactWriteItems that writes an item, if the condition holds (as in `update`)."""
    return {
        "Put": {
            "TableName": table,
            "Item": to_item(item),
            **({"ConditionExpression": condition} if condition else {}),
            **expressed(condition, values or {}),
        }
    }
