"""The SES account's quota, read every minute: a metric for the alarm, and the rate for those who send."""

from dataclasses import replace

from botocore.exceptions import ClientError

from lambdas.common.aws.clients import dependency
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.function.handler import Run
from lambdas.common.function.invocation import where
from lambdas.delivery.ledger.items import MailAccount
from lambdas.delivery.ledger.sending.mail_account import mail_account, set_maximum_rate
from lambdas.release_deliveries.context import ReleaseContext

UNLIMITED = -1
"""`Max24HourSend` of an account without a daily quota."""


def measure_quota(context: ReleaseContext, run: Run) -> MailAccount:
    """The account's limits; counts the percentage of the daily quota that is used, and keeps the maximum rate.

    The quota is the account's and the region's, whatever else sends there. A failure is logged and
    stops nothing: the alarm treats a missing figure as bad.
    https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html
    """
    account = mail_account(context)
    try:
        with dependency("ses"):
            quota = context.client("sesv2").get_account()["SendQuota"]
    except (DependencyUnavailableError, ClientError) as unread:
        run.logger.warning("the mail quota cannot be read", reason=where(unread))
        return account
    allowed, sent = quota["Max24HourSend"], quota["SentLast24Hours"]
    used = 0 if allowed == UNLIMITED else 100 * sent / max(1, allowed)
    run.count("MailQuotaUsedPercent", int(used))
    # Whole mails in a second: an account with less than one gets one, and SES throttles the rest.
    rate = max(1, int(quota["MaxSendRate"]))
    if account.maximum_rate != rate:
        set_maximum_rate(context, rate)
    return replace(account, maximum_rate=rate)
