"""The account's sending rate, shared by every function that sends: so many mails in each second.

Sixty counters in the ledger's table, one for each second of a minute, so that none has to be removed
and no item is hot for longer than a second.
"""

import os
import time

from botocore.exceptions import ClientError

from lambdas.common.aws import client, dependency
from lambdas.common.deliveries import SHARE_OF_RELEASES, ledger_table
from lambdas.common.items import Item, from_item, to_item
from lambdas.common.mail_account import MailAccount


def may_send(released: bool, account: MailAccount) -> bool:
    """Whether one more mail fits into this second; True without a limit.

    The limit is `ENS_SES_RATE` (mails a second), or the account's maximum rate where that is lower.
    """
    limit = account.rate(int(os.environ.get("ENS_SES_RATE") or 0))
    if not limit:
        return True
    return _count(max(1, int(limit * SHARE_OF_RELEASES)) if released else limit)


def _count(limit: int) -> bool:
    second = int(time.time())
    for _ in range(2):
        full = _change("ADD #used :one", "#second = :second AND #used < :limit", second, limit)
        if full is None:
            return True
        if full.get("second", -1) >= second:
            return False
        if _change("SET #second = :second, #used = :one", _NOT_BEGUN, second) is None:
            return True
        # Another began this second between the two questions.
    return False


_NOT_BEGUN = "attribute_not_exists(delivery_id) OR #second < :second"


def _change(update: str, condition: str, second: int, limit: int = 0) -> Item | None:
    """None when the counter of the second was changed; else the counter as it stands, maybe empty."""
    values = {":second": second, ":one": 1, **({":limit": limit} if limit else {})}
    try:
        with dependency("dynamodb"):
            client("dynamodb").update_item(
                TableName=ledger_table(),
                Key=to_item({"delivery_id": f"rate#{second % 60}"}),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#second": "second", "#used": "used"},
                ExpressionAttributeValues=to_item(values),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return from_item(error.response.get("Item", {}))
    return None
