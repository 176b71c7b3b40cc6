"""The SES account's limits as the ledger's table keeps them, one item for all functions.

DeliverNotification writes that SES refused a mail for the daily quota; ReleaseDeliveries writes the
maximum rate that GetAccount answers, and that the quota is free again. The quota counts the last
24 hours, so room appears little by little.
https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from lambdas.common import deliveries
from lambdas.common.aws import client, dependency
from lambdas.common.clock import iso
from lambdas.common.deliveries import ledger_table
from lambdas.common.items import Item, to_item

KEY = "account#mail"

RETRY_AFTER = timedelta(minutes=10)
"""AWS's advice for a throttled sender: wait for up to 10 minutes, then send again."""


@dataclass(frozen=True, slots=True)
class MailAccount:
    """`retry_at` (ISO 8601, UTC) is when a mail may be tried again after the daily quota was reached.

    It is "" while the quota is free. `maximum_rate` is in mails a second, 0 while it is not known.
    """

    retry_at: str = ""
    maximum_rate: int = 0

    @property
    def quota_reached(self) -> bool:
        """Whether new mails have to wait behind those that are held."""
        return bool(self.retry_at)

    def rate(self, setting: int) -> int:
        """The mails that may be sent in a second: the setting, or the account's maximum if lower."""
        return min(setting, self.maximum_rate) if setting and self.maximum_rate else setting


def mail_account() -> MailAccount:
    """The account's limits as they were written last."""
    item = deliveries.read(KEY) or {}
    return MailAccount(item.get("retry_at", ""), item.get("maximum_rate", 0))


def close_quota() -> None:
    """Writes that SES refused a mail for the daily quota: nothing is tried for `RETRY_AFTER`."""
    _update("SET retry_at = :at", {":at": iso(datetime.now(UTC) + RETRY_AFTER)})


def open_quota(seen: MailAccount) -> None:
    """Writes that the quota is free again, unless SES has refused a mail since `seen` was read."""
    try:
        _update("REMOVE retry_at", {":seen": seen.retry_at}, "retry_at = :seen")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise


def set_maximum_rate(rate: int) -> None:
    """Writes the account's maximum rate, mails a second."""
    _update("SET maximum_rate = :rate", {":rate": rate})


def _update(change: str, values: Item, condition: str = "") -> None:
    with dependency("dynamodb"):
        client("dynamodb").update_item(
            TableName=ledger_table(),
            Key=to_item({"delivery_id": KEY}),
            UpdateExpression=change,
            ExpressionAttributeValues=to_item(values),
            **({"ConditionExpression": condition} if condition else {}),
        )
