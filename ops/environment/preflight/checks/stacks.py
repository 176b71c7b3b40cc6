"""Checks what CloudFormation needs: CDK's bootstrap stack, stacks that can be updated, service-linked roles.

https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
An account's first ECS cluster may start before its role:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html
"""

from collections.abc import Iterator

from ops import aws_calls
from ops.aws_calls import if_exists
from ops.environment.deployable import keeps_data
from ops.environment.preflight.check_input import ClientFactory, Plan
from ops.environment.preflight.finding import PreflightFinding, error, ok

UNUSABLE = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"})
FAILED_TO_DELETE = frozenset({"ROLLBACK_FAILED", "DELETE_FAILED"})
"""The states of a stack of which a resource could not be deleted, such as the configuration's bucket."""
WITHOUT_RESOURCES = "REVIEW_IN_PROGRESS"
"""The state of a new stack whose change set failed or was not carried out. CDK deploys it like an absent one."""
# The resource type that needs a role, and the role's name. `make deploy` creates them.
ROLES = (
    ("AWS::ECS::Cluster", "AWSServiceRoleForECS"),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "AWSServiceRoleForElasticLoadBalancing"),
    (
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWSServiceRoleForApplicationAutoScaling_ECSService",
    ),
)


def check_bootstrap(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
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


def check_stacks(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """The state of each stack (CloudFormation DescribeStacks); a missing one is created."""
    cloudformation = clients.client("cloudformation")
    for stack in plan.assembly.stacks:
        found = aws_calls.stack(cloudformation, stack)
        state = found["StackStatus"] if found else ""
        if not state:
            yield ok(f"stack {stack} does not exist yet")
        elif state == WITHOUT_RESOURCES:
            yield ok(f"stack {stack} has no resources yet (a change set was not carried out)")
        elif state in UNUSABLE:
            yield error(
                f"the stack is in {state} and cannot be updated",
                stack,
                _removal(plan, stack, state),
            )
        elif state == "UPDATE_ROLLBACK_FAILED":
            yield error(
                f"the stack is in {state}",
                stack,
                "aws cloudformation continue-update-rollback"
                f" --stack-name {stack} --region {plan.region}",
            )
        elif state.endswith("_IN_PROGRESS"):
            yield error(f"another deployment is running ({state})", stack, "wait until it ends")
        else:
            yield ok(f"stack {stack} is in {state}")


def _removal(plan: Plan, stack: str, state: str) -> str:
    """The command that deletes the stack. S3 deletes no bucket with objects, and `make destroy` empties them."""
    has_bucket = any(one.stack == stack for one in plan.assembly.of_type("AWS::S3::Bucket"))
    if state in FAILED_TO_DELETE and has_bucket and not keeps_data(plan.environment):
        return f"make destroy ENV={plan.environment.name}"
    return f"aws cloudformation delete-stack --stack-name {stack} --region {plan.region}"


def check_service_roles(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """Yields, for each role that a resource needs, whether it exists (IAM GetRole)."""
    for resource_type, role in ROLES:
        if not any(plan.assembly.of_type(resource_type)):
            continue
        known = if_exists(clients.client("iam").get_role, "NoSuchEntity", RoleName=role)
        later = "" if known else " does not exist yet: make deploy creates it"
        yield ok(f"service-linked role {role}{later}")
