"""Checks that the load balancer's certificate is issued and valid for at least 30 days.

https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateDetail.html
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ops.aws_calls import if_exists
from ops.environment.preflight.finding import PreflightFinding, error, ok, warning
from ops.environment.preflight.plan import ClientFactory, Plan

SOON = timedelta(days=30)


def check(
    plan: Plan, clients: ClientFactory, now: datetime | None = None
) -> Iterator[PreflightFinding]:
    """Status, expiry, names and region of receiver.certificate_arn (ACM DescribeCertificate)."""
    arn = plan.environment.receiver.certificate_arn
    if not arn:
        return
    where = f"{plan.file}: receiver.certificate_arn"
    region = arn.split(":")[3] if arn.count(":") >= 5 else ""
    if region != plan.region:
        yield error(
            f"the certificate is in {region or 'no region'}, and the load balancer in {plan.region}",
            where,
            f"request or import it in {plan.region}",
        )
        return
    describe = clients.client("acm").describe_certificate
    answer = if_exists(describe, "ResourceNotFoundException", CertificateArn=arn)
    if answer is None:
        yield error(
            "ACM has no such certificate", where, f"aws acm list-certificates --region {region}"
        )
        return
    found = answer["Certificate"]
    status, names = found["Status"], ", ".join(found.get("SubjectAlternativeNames", ()))
    if status != "ISSUED":
        yield error(
            f"the certificate for {names} is {status}",
            where,
            f"aws acm describe-certificate --certificate-arn {arn} --region {region}"
            " shows the DNS record that validates it",
        )
        return
    end = found["NotAfter"]
    if end - (now or datetime.now(UTC)) < SOON:
        yield warning(
            f"the certificate for {names} expires on {end:%Y-%m-%d}"
            f" ({found.get('RenewalEligibility', 'renewal unknown')})",
            where,
            "renew it: docs/deploy.md",
        )
    else:
        yield ok(f"certificate for {names}, until {end:%Y-%m-%d}", where)
