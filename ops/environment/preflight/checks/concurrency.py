"""Checks that the account's Lambda concurrency covers the concurrency that the functions reserve.

AWS keeps 100 executions for functions that reserve none; new accounts may have 10 in all.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
"""

import math
from collections.abc import Iterator
from typing import Any

from ops.aws_calls import if_exists
from ops.environment.preflight.finding import PreflightFinding, error, ok, warning
from ops.environment.preflight.plan import ClientFactory, Plan

UNRESERVED = 100
QUOTA = "L-B99A9384"


def check(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
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
