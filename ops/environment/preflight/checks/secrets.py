"""Checks that the secrets and keys in the environment's file exist. It does not read the secrets."""

from collections.abc import Iterator

from ops.aws_calls import if_exists
from ops.environment.preflight.finding import PreflightFinding, error, ok
from ops.environment.preflight.plan import ClientFactory, Plan


def check(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """Secrets by Secrets Manager DescribeSecret, their own keys by KMS DescribeKey."""
    environment = plan.environment
    for key, arn in {
        "receiver.tls_secret": environment.receiver.tls_secret,
        "receiver.smoke_secret": environment.receiver.smoke_secret,
        "mail.smime_secret": environment.mail.smime_secret,
        "mpi.secret_arn": environment.mpi.secret_arn,
    }.items():
        if arn:
            yield _secret(plan, clients, key, arn)
    for key, arn in {
        "mail.smime_secret_key_arn": environment.mail.smime_secret_key_arn,
        "mpi.secret_key_arn": environment.mpi.secret_key_arn,
    }.items():
        if arn:
            yield _key(plan, clients, key, arn)


def _secret(plan: Plan, clients: ClientFactory, key: str, arn: str) -> PreflightFinding:
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
