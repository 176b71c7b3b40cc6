"""The account's sending rate, shared by every function that sends: so many mails in each second.

Sixty counters in the ledger's table, one for each second of a minute, so that none has to be removed
and no item is hot for longer than a second.
"""

import time

import msgspec

from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.items import MailAccount, RateCounter
from lambdas.delivery.ledger.table import Prefix

SHARE_OF_RELEASES = 0.8
"""Held deliveries leave a fifth of the rate to new ones, which never wait behind a backlog."""


def may_send(context: LedgerContext, released: bool, account: MailAccount, ses_rate: int) -> bool:
    """Whether one more mail fits into this second; True without a limit.

    The limit is `ses_rate` (ENS_SES_RATE, mails a second), or the account's maximum rate where that is
    lower.
    """
    limit = account.rate(ses_rate)
    if not limit:
        return True
    return _count(context, max(1, int(limit * SHARE_OF_RELEASES)) if released else limit)


def _count(context: LedgerContext, limit: int) -> bool:
    second = int(time.time())
    key, values = Prefix.RATE.key(str(second % 60)), {":second": second}
    for _ in range(2):
        fits, below = "#second = :second AND #used < :limit", {**values, ":limit": limit}
        counted = table.update(context, key, {}, fits, below, add={"used": 1})
        if counted.applied:
            return True
        if msgspec.convert(counted.item, RateCounter).second >= second:
            return False
        begun = "attribute_not_exists(#second) OR #second < :second"
        if table.update(context, key, {"second": second, "used": 1}, begun, values).applied:
            return True
        # Another function began this second between the two updates.
    return False
