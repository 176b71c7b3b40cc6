"""The account's sending rate, shared by every function that sends: so many mails in each second.

Sixty counters in the ledger's table, one for each second of a minute, so that none has to be removed
and no item is hot for longer than a second.
"""

import os
import time

from botocore.exceptions import ClientError

from lambdas.common.aws import client, dependency
from lambdas.common.deliveries import ledger_table
from lambdas.common.items import to_item

SHARE_OF_RELEASES = 0.8
"""Held deliveries leave a fifth of the rate to fresh ones, which so never wait behind a backlog."""


def may_send(released: bool) -> bool:
    """Whether one more mail fits into this second; True without a limit (`ENS_SES_RATE`, mails a second)."""
    limit = int(os.environ.get("ENS_SES_RATE") or 0)
    if not limit:
        return True
    return _count(max(1, int(limit * SHARE_OF_RELEASES)) if released else limit)


def _count(limit: int) -> bool:
    second = int(time.time())
    key = to_item({"delivery_id": f"rate#{second % 60}"})
    values = {":second": second, ":one": 1}
    names = {"#second": "second", "#used": "used"}
    return (
        _change(
            key,
            "ADD #used :one",
            "#second = :second AND #used < :limit",
            {**values, ":limit": limit},
            names,
        )
        or _change(
            key,
            "SET #second = :second, #used = :one",
            "attribute_not_exists(delivery_id) OR #second < :second",
            values,
            names,
        )
        or (
            # Another began this second between the two questions.
            _change(
                key,
                "ADD #used :one",
                "#second = :second AND #used < :limit",
                {**values, ":limit": limit},
                names,
            )
        )
    )


def _change(
    key: dict[str, object],
    update: str,
    condition: str,
    values: dict[str, int],
    names: dict[str, str],
) -> bool:
    used = {name: value for name, value in values.items() if name in f"{update} {condition}"}
    try:
        with dependency("dynamodb"):
            client("dynamodb").update_item(
                TableName=ledger_table(),
                Key=key,
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=to_item(used),
            )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True
