"""What a release reads and writes in the delivery ledger."""

import uuid
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws import client, dependency
from lambdas.common.clock import now
from lambdas.common.deliveries import HELD, UNKNOWN, ledger_table
from lambdas.common.items import Item, from_item, to_item

MOST = 2_000
"""Items of a state that one run looks at; more wait for the next minute."""


def in_state(state: str, before: str = "") -> list[Item]:
    """The deliveries in a state, the longest unchanged first; those unchanged since `before`, or all."""
    condition, values = "#state = :state", {":state": state}
    if before:
        condition, values = condition + " AND updated_at < :before", {**values, ":before": before}
    pages = client("dynamodb").get_paginator("query")
    found: list[Item] = []
    with dependency("dynamodb"):
        for page in pages.paginate(
            TableName=ledger_table(),
            IndexName="by_state",
            KeyConditionExpression=condition,
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues=to_item(values),
        ):
            found += map(from_item, page["Items"])
            if len(found) >= MOST:
                break
    return found


def resend(delivery_id: str) -> bool:
    """Lets an unknown delivery go out again, at once and once in its life; whether it could."""
    return _change(
        delivery_id,
        "SET #state = :held, hold_reason = :reason, release_at = :now, updated_at = :now,"
        " resent = :one",
        "#state = :unknown AND attribute_not_exists(resent)",
        {":held": HELD, ":reason": "resend", ":now": now(), ":unknown": UNKNOWN, ":one": 1},
    )


def bound(items: list[Item]) -> tuple[str, list[Item]]:
    """A new summary's id and those of the items that are now bound to it, for good."""
    digest_id = uuid.uuid4().hex
    ours = [
        item
        for item in items
        if _change(
            item["delivery_id"],
            "SET digest_id = :digest, updated_at = :now",
            "#state = :held AND attribute_not_exists(digest_id)",
            {":digest": digest_id, ":now": now(), ":held": HELD},
        )
    ]
    return digest_id, ours


def _change(delivery_id: str, update: str, condition: str, values: dict[str, Any]) -> bool:
    try:
        with dependency("dynamodb"):
            client("dynamodb").update_item(
                TableName=ledger_table(),
                Key=to_item({"delivery_id": delivery_id}),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues=to_item(values),
            )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True
