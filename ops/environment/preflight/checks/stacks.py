"""Checks that the environment's stacks are in a state from which they can be updated.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from collections.abc import Iterator

from ops import aws_calls
from ops.environment.preflight.finding import PreflightFinding, error, ok
from ops.environment.preflight.plan import ClientFactory, Plan

UNUSABLE = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"})


def check(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """The state of each stack (CloudFormation DescribeStacks); a missing one is created."""
    cloudformation = clients.client("cloudformation")
    for stack in plan.assembly.stacks:
        found = aws_calls.stack(cloudformation, stack)
        state = found["StackStatus"] if found else ""
        if not state:
            yield ok(f"stack {stack} does not exist yet")
        elif state in UNUSABLE:
            yield error(
                f"the stack is in {state} and cannot be updated",
                stack,
                f"aws cloudformation delete-stack --stack-name {stack} --region {plan.region}",
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
