"""Checks that the account's quotas cover the functions' reserved concurrency and all receivers.

AWS keeps 100 executions for functions that reserve none; new accounts may have 10 in all.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
"""

import math
from collections.abc import Iterator
from typing import Any

from ops.aws_calls import if_exists
from ops.environment.preflight.check_input import ClientFactory, Plan
from ops.environment.preflight.finding import PreflightFinding, error, ok, warning

UNRESERVED = 100
QUOTA = "L-B99A9384"

VCPU_QUOTA = "L-3032A538"
CPU_UNITS = 1024
ROLLING = 2
"""A rolling deployment runs the new tasks beside the old ones (max_healthy_percent 200)."""


def check_concurrency(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """Compares unreserved plus already reserved concurrency of these functions with the reservations."""
    lambda_ = clients.client("lambda")
    limits = lambda_.get_account_settings()["AccountLimit"]
    total, free = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    reserving = {
        function.text("FunctionName"): int(function.properties["ReservedConcurrentExecutions"])
        for function in plan.assembly.of_type("AWS::Lambda::Function")
        if "ReservedConcurrentExecutions" in function.properties
    }
    wanted = sum(reserving.values())
    held = sum(_held(lambda_, name) for name in reserving)
    missing = wanted + UNRESERVED - (free + held)
    if wanted and missing > 0:
        yield error(
            f"the functions reserve {wanted} concurrent executions, and AWS keeps {UNRESERVED}"
            f" unreserved: the account has {free + held} left of {total}",
            f"Lambda in {plan.region}; {plan.file}: extract_concurrency",
            _request(plan, math.ceil((total + missing) / 100) * 100),
        )
    elif total < UNRESERVED:
        yield warning(
            f"the account may run {total} functions at once: a burst of messages is throttled",
            f"Lambda in {plan.region}",
            _request(plan, 1000),
        )
    else:
        yield ok(f"Lambda concurrency {total}, unreserved {free}, to reserve {wanted}")


def _held(lambda_: Any, name: str) -> int:
    """The concurrency that a deployed function has reserved, 0 when the function does not exist."""
    ask = lambda_.get_function_concurrency
    answer = if_exists(ask, "ResourceNotFoundException", FunctionName=name) or {}
    return int(answer.get("ReservedConcurrentExecutions", 0))


def _request(plan: Plan, value: int) -> str:
    return (
        "aws service-quotas request-service-quota-increase --service-code lambda"
        f" --quota-code {QUOTA} --desired-value {value} --region {plan.region}"
    )


def check_fargate(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """The vCPU of the largest task, for `receiver.maximum` tasks twice, fit the quota."""
    tasks = list(plan.assembly.of_type("AWS::ECS::TaskDefinition"))
    if not tasks:
        return
    largest = max(int(task.text("Cpu") or CPU_UNITS) for task in tasks) / CPU_UNITS
    needed = largest * plan.environment.receiver.maximum * ROLLING
    service_quotas = clients.client("service-quotas")
    vcpu = {"ServiceCode": "fargate", "QuotaCode": VCPU_QUOTA}
    # AWS knows a value of an account's own, or the default alone (Service Quotas API, "GetServiceQuota").
    answer = if_exists(service_quotas.get_service_quota, "NoSuchResourceException", **vcpu)
    answer = answer or service_quotas.get_aws_default_service_quota(**vcpu)
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
