"""Checks that the Fargate vCPU quota covers a rolling deployment of all receivers.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
"""

from collections.abc import Iterator

from ops.environment.preflight.finding import PreflightFinding, error, ok
from ops.environment.preflight.plan import ClientFactory, Plan

VCPU_QUOTA = "L-3032A538"
CPU_UNITS = 1024
ROLLING = 2
"""A rolling deployment runs the new tasks beside the old ones (max_healthy_percent 200)."""


def check(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """The vCPU of the largest task, for `receiver.maximum` tasks twice, fit the quota."""
    tasks = list(plan.assembly.of_type("AWS::ECS::TaskDefinition"))
    if not tasks:
        return
    largest = max(int(task.text("Cpu") or CPU_UNITS) for task in tasks) / CPU_UNITS
    needed = largest * plan.environment.receiver.maximum * ROLLING
    answer = clients.client("service-quotas").get_service_quota(
        ServiceCode="fargate", QuotaCode=VCPU_QUOTA
    )
    allowed = answer["Quota"]["Value"]
    if allowed < needed:
        yield error(
            f"Fargate may use {allowed:g} vCPU, and a deployment at full scale needs {needed:g}",
            f"Service Quotas in {plan.region}; {plan.file}: receiver.maximum",
            "aws service-quotas request-service-quota-increase --service-code fargate"
            f" --quota-code {VCPU_QUOTA} --desired-value {needed:g} --region {plan.region}",
        )
    else:
        yield ok(f"Fargate may use {allowed:g} vCPU (needed at full scale: {needed:g})")
