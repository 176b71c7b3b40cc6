"""The SES account's limits, one item for all functions.

DeliverNotification writes that SES refused a mail for the daily quota. ReleaseDeliveries writes the
maximum rate that GetAccount answers, and that the quota is free again. The quota counts the last
24 hours, so room appears little by little.
https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html
"""

from datetime import UTC, datetime, timedelta

import msgspec

from lambdas.common.clock import iso
from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.items import MailAccount
from lambdas.delivery.ledger.table import Prefix

KEY = Prefix.ACCOUNT.key("mail")

RETRY_AFTER = timedelta(minutes=10)
"""AWS's advice for a throttled sender: wait for up to 10 minutes, then send again."""


def mail_account(context: LedgerContext) -> MailAccount:
    """The account's limits as they were written last."""
    return msgspec.convert(table.read_item(context, KEY), MailAccount)


def close_quota(context: LedgerContext) -> None:
    """Writes that SES refused a mail for the daily quota: nothing is tried for `RETRY_AFTER`."""
    table.update(context, KEY, {"retry_at": iso(datetime.now(UTC) + RETRY_AFTER)})


def open_quota(context: LedgerContext, seen: MailAccount) -> None:
    """Writes that the quota is free again, unless SES has refused a mail since `seen` was read."""
    table.update(context, KEY, {"retry_at": None}, "#retry_at = :seen", {":seen": seen.retry_at})


def set_maximum_rate(context: LedgerContext, rate: int) -> None:
    """Writes the account's maximum rate, mails a second."""
    table.update(context, KEY, {"maximum_rate": rate})
