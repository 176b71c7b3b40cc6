"""Checks that the credentials belong to the environment's account."""

from collections.abc import Iterator
from dataclasses import dataclass

from ops.environment.preflight.check_input import ClientFactory, Plan
from ops.environment.preflight.finding import PreflightFinding, error, ok, warning


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """Account id and ARN of the credentials (STS GetCallerIdentity)."""

    account: str
    arn: str


def identity(clients: ClientFactory) -> CallerIdentity:
    """The owner of the credentials (STS GetCallerIdentity, which needs no permission)."""
    answer = clients.client("sts").get_caller_identity()
    return CallerIdentity(answer["Account"], answer["Arn"])


def check(plan: Plan, found: CallerIdentity) -> Iterator[PreflightFinding]:
    """The account of the credentials is the one in the file."""
    wanted = plan.environment.account
    if wanted and wanted != found.account:
        yield error(
            f"the credentials belong to account {found.account}, the environment to {wanted}",
            f"{plan.file}: account",
            f"set AWS_PROFILE to a profile of account {wanted}",
        )
        return
    if not wanted and plan.environment.holds_real_patients:
        yield warning(
            f"no account is set: {plan.environment.name} could be deployed to any account",
            f"{plan.file}: account",
            f'set account = "{found.account}"',
        )
    yield ok(f"account {found.account}, region {plan.region}, as {found.arn}")
