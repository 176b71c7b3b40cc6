"""Checks that SES sends for the account and the environment's domain, and how it is configured.

https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html
https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
"""

from collections.abc import Iterator
from typing import Any

from ops.aws_calls import if_exists
from ops.environment.preflight.check_input import ClientFactory, Plan
from ops.environment.preflight.finding import PreflightFinding, error, ok, warning

NEARLY = 0.8


def check_account(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
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


def check_identity(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """State of the identity, of DKIM, and of the mails that report bounces (SES v2 GetEmailIdentity)."""
    mail = plan.environment.mail
    ask = clients.client("sesv2").get_email_identity
    identity = if_exists(ask, "NotFoundException", EmailIdentity=mail.domain)
    if identity is None:
        if mail.create:
            yield ok(f"the deployment creates the identity {mail.domain}: publish its DKIM records")
        else:
            yield error(
                f"SES has no identity {mail.domain}, and mail.create is false",
                f"{plan.file}: mail.create",
                "set mail.create to true, or create the identity:"
                f" aws sesv2 create-email-identity --email-identity {mail.domain}"
                f" --region {plan.region}",
            )
        return
    yield _dkim(mail.domain, identity, plan)
    if identity.get("FeedbackForwardingStatus", False):
        # The mail that returns a bounce quotes the notification, to a mailbox without encryption.
        yield warning(
            f"SES forwards bounces of {mail.domain} by mail: they may quote a notification",
            f"SES in {plan.region}",
            "aws sesv2 put-email-identity-feedback-attributes --no-email-forwarding-enabled"
            f" --email-identity {mail.domain} --region {plan.region}",
        )


def _dkim(domain: str, identity: dict[str, Any], plan: Plan) -> PreflightFinding:
    dkim = identity.get("DkimAttributes", {})
    if identity.get("VerifiedForSendingStatus", False) and dkim.get("Status") == "SUCCESS":
        return ok(f"SES may send from {domain}, signed with DKIM")
    # Newer regions have a zone of their own.
    zone = dkim.get("SigningHostedZone", "dkim.amazonses.com")
    records = ", ".join(
        f"{token}._domainkey.{domain} CNAME {token}.{zone}" for token in dkim.get("Tokens", ())
    )
    # A deployment that failed must be repeatable while DNS still waits for the records.
    report = warning if plan.environment.mail.create else error
    return report(
        f"SES may not send from {domain} yet (DKIM: {dkim.get('Status', 'unknown')})",
        f"DNS of {domain}",
        f"publish {records or 'the DKIM records of the identity'}; SES looks for up to 72 hours",
    )


def check_configuration_set(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """Sending is on and TLS required (SES v2 GetConfigurationSet); it may not exist yet."""
    name = plan.environment.prefix
    ask = clients.client("sesv2").get_configuration_set
    found = if_exists(ask, "NotFoundException", ConfigurationSetName=name)
    if found is None:
        yield ok(f"the deployment creates the configuration set {name}")
        return
    where = f"SES configuration set {name}"
    if not found.get("SendingOptions", {}).get("SendingEnabled", True):
        yield error(
            "sending is switched off",
            where,
            "aws sesv2 put-configuration-set-sending-options --sending-enabled"
            f" --configuration-set-name {name} --region {plan.region}",
        )
    elif found.get("DeliveryOptions", {}).get("TlsPolicy") != "REQUIRE":
        yield warning(
            "TLS is not required: the configuration set was changed outside CloudFormation",
            where,
            "aws sesv2 put-configuration-set-delivery-options --tls-policy REQUIRE"
            f" --configuration-set-name {name} --region {plan.region}",
        )
    else:
        yield ok("sending is on, over TLS only", where)
