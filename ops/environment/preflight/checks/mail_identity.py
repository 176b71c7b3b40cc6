"""Checks that SES may send from the environment's domain: verified identity, DKIM.

https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
"""

from collections.abc import Iterator
from typing import Any

from ops.aws_calls import if_exists
from ops.environment.preflight.finding import PreflightFinding, error, ok, warning
from ops.environment.preflight.plan import ClientFactory, Plan


def check(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
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
    records = ", ".join(
        f"{token}._domainkey.{domain} CNAME {token}.dkim.amazonses.com"
        for token in dkim.get("Tokens", ())
    )
    # A deployment that failed must be repeatable while DNS still waits for the records.
    report = warning if plan.environment.mail.create else error
    return report(
        f"SES may not send from {domain} yet (DKIM: {dkim.get('Status', 'unknown')})",
        f"DNS of {domain}",
        f"publish {records or 'the DKIM records of the identity'}; SES looks for up to 72 hours",
    )
