"""Checks the version of the account's CDK bootstrap stack.

https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping.html
"""

from collections.abc import Iterator

from ops.aws_calls import if_exists
from ops.environment.preflight.finding import PreflightFinding, error, ok
from ops.environment.preflight.plan import ClientFactory, Plan


def check(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """The bootstrap version in SSM is at least the one that the assembly needs."""
    name, needed = plan.assembly.bootstrap_parameter, plan.assembly.bootstrap_version
    command = f"npx --no-install cdk bootstrap --app .build/preflight/{plan.environment.name}"
    answer = if_exists(clients.client("ssm").get_parameter, "ParameterNotFound", Name=name)
    if answer is None:
        yield error(
            "the account is not bootstrapped for CDK in this region", f"SSM {name}", command
        )
        return
    version = int(answer["Parameter"]["Value"])
    if version < needed:
        yield error(
            f"the bootstrap stack has version {version}, and {needed} is needed",
            f"SSM {name}",
            command,
        )
    else:
        yield ok(f"bootstrap version {version} (needed: {needed})")
