"""Checks SES production access, the account's sending state, its rate and its daily quota.

https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html
"""

from collections.abc import Iterator
from typing import Any

from ops.environment.preflight.finding import PreflightFinding, error, ok, warning
from ops.environment.preflight.plan import ClientFactory, Plan

NEARLY = 0.8


def check(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """Production access, the account's state, rate and daily quota (SES v2 GetAccount)."""
    account = clients.client("sesv2").get_account()
    where = f"SES in {plan.region}"
    if not account.get("ProductionAccessEnabled", False):
        report = error if plan.environment.name == "prod" else warning
        yield report(
            "SES is in its sandbox: it sends to verified addresses and the mailbox simulator only,"
            " 200 mails a day",
            where,
            "aws sesv2 put-account-details --production-access-enabled --mail-type TRANSACTIONAL"
            f" --website-url https://YOUR-SITE --region {plan.region}",
        )
    state = account.get("EnforcementStatus", "HEALTHY")
    if not account.get("SendingEnabled", True) or state == "SHUTDOWN":
        yield error(
            f"SES does not send for this account (state {state})",
            where,
            "answer AWS's case in the Support Center, then"
            f" aws sesv2 put-account-sending-attributes --sending-enabled --region {plan.region}",
        )
    elif state != "HEALTHY":
        yield warning(
            f"AWS reviews this account's sending (state {state})", where, "answer AWS's case"
        )
    yield from _quota(plan, account["SendQuota"], where)


def _quota(plan: Plan, quota: dict[str, Any], where: str) -> Iterator[PreflightFinding]:
    rate, allowed = plan.environment.mail.rate, quota["MaxSendRate"]
    daily, sent = quota["Max24HourSend"], quota["SentLast24Hours"]
    if allowed < rate:
        yield error(
            f"mail.rate is {rate} mails a second, and the account may send {allowed:g}",
            f"{plan.file}: mail.rate",
            f"set mail.rate to {max(1, int(allowed))}, or request a higher rate (SES console,"
            " Account dashboard)",
        )
    # SES documents -1 as an unlimited daily quota.
    if 0 <= daily * NEARLY <= sent:
        yield warning(
            f"{sent:.0f} of {daily:.0f} mails of the daily quota were sent in the last 24 hours",
            where,
            "request a higher daily quota (SES console, Account dashboard)",
        )
    yield ok(f"SES sends {allowed:g} mails a second, {daily:.0f} a day", where)
