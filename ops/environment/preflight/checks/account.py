"""Checks that the credentials belong to the environment's account."""

from collections.abc import Iterator

from ops.environment.preflight.check_input import Plan
from ops.environment.preflight.finding import PreflightFinding, error, ok, warning


def check(plan: Plan, arn: str) -> Iterator[PreflightFinding]:
    """The account of the credentials, which `arn` names (STS GetCallerIdentity), is the one in the file."""
    wanted, found = plan.environment.account, plan.account
    if wanted and wanted != found:
        yield error(
            f"the credentials belong to account {found}, the environment to {wanted}",
            f"{plan.file}: account",
            f"set AWS_PROFILE to a profile of account {wanted}",
        )
        return
    if not wanted and plan.environment.holds_real_patients:
        yield warning(
            f"no account is set: {plan.environment.name} could be deployed to any account",
            f"{plan.file}: account",
            f'set account = "{found}"',
        )
    yield ok(f"account {found}, region {plan.region}, as {arn}")
