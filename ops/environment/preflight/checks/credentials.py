"""Checks the certificate of the load balancer, and that secrets and keys exist. It reads no secret.

The certificate has to be issued, and valid for at least 30 days.
https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateDetail.html
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ops.aws_calls import if_exists
from ops.environment.preflight.check_input import ClientFactory, Plan
from ops.environment.preflight.finding import PreflightFinding, error, ok, warning

SOON = timedelta(days=30)
KEYS = {"mail.smime_secret": "mail.smime_secret_key_arn", "mpi.secret_arn": "mpi.secret_key_arn"}
"""The settings of secrets that may have a key of their own, and those that name it."""


def check_certificate(
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


def check_secrets(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """Secrets by Secrets Manager DescribeSecret, their own keys by KMS DescribeKey."""
    receiver, mail, mpi = plan.environment.receiver, plan.environment.mail, plan.environment.mpi
    for key, arn, granted in (
        ("receiver.tls_secret", receiver.tls_secret, ""),
        ("receiver.smoke_secret", receiver.smoke_secret, ""),
        ("mail.smime_secret", mail.smime_secret, mail.smime_secret_key_arn),
        ("mpi.secret_arn", mpi.secret_arn, mpi.secret_key_arn),
    ):
        if arn:
            yield _secret(plan, clients, key, arn, granted)
        if granted:
            yield _key(plan, clients, KEYS[key], granted)


def _secret(
    plan: Plan, clients: ClientFactory, key: str, arn: str, granted: str
) -> PreflightFinding:
    where = f"{plan.file}: {key}"
    describe = clients.client("secretsmanager").describe_secret
    found = if_exists(describe, "ResourceNotFoundException", SecretId=arn)
    if found is None:
        return error(
            "the secret does not exist in this account and region",
            where,
            f"aws secretsmanager list-secrets --region {plan.region}",
        )
    if "DeletedDate" in found:
        return error(
            "the secret is scheduled for deletion",
            where,
            f"aws secretsmanager restore-secret --secret-id {arn} --region {plan.region}",
        )
    used = found.get("KmsKeyId")
    own = used and clients.client("kms").describe_key(KeyId=used)["KeyMetadata"]
    # A grant names a key by its own ARN and by no alias (KMS developer guide, "Key ARN").
    if own and own.get("KeyManager") == "CUSTOMER" and own["Arn"] != granted:
        return error(
            f"the secret is encrypted with the key {own['Arn']}, which its reader may not use",
            where,
            f'set {KEYS[key]} = "{own["Arn"]}"'
            if key in KEYS
            else f"aws secretsmanager update-secret --secret-id {arn}"
            f" --kms-key-id alias/aws/secretsmanager --region {plan.region}",
        )
    return ok(f"secret {found['Name']}", where)


def _key(plan: Plan, clients: ClientFactory, key: str, arn: str) -> PreflightFinding:
    where = f"{plan.file}: {key}"
    answer = if_exists(clients.client("kms").describe_key, "NotFoundException", KeyId=arn)
    if answer is None:
        return error("the key does not exist", where, f"aws kms list-keys --region {plan.region}")
    state = answer["KeyMetadata"]["KeyState"]
    if state != "Enabled":
        return error(
            f"the key is {state}",
            where,
            f"aws kms enable-key --key-id {arn} --region {plan.region}"
            " (a key that awaits deletion: aws kms cancel-key-deletion first)",
        )
    return ok("key is enabled", where)
