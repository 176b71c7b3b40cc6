"""Checks which service-linked roles exist: an account's first ECS cluster may start before its role.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html
"""

from collections.abc import Iterator

from ops.aws_calls import if_exists
from ops.environment.preflight.finding import PreflightFinding, ok
from ops.environment.preflight.plan import ClientFactory, Plan

# The resource type that needs a role, and the role's name. `make deploy` creates them.
ROLES = (
    ("AWS::ECS::Cluster", "AWSServiceRoleForECS"),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "AWSServiceRoleForElasticLoadBalancing"),
    (
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWSServiceRoleForApplicationAutoScaling_ECSService",
    ),
)


def check(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """Yields, for each role that a resource needs, whether it exists (IAM GetRole)."""
    for resource_type, role in ROLES:
        if not any(plan.assembly.of_type(resource_type)):
            continue
        known = if_exists(clients.client("iam").get_role, "NoSuchEntity", RoleName=role)
        later = "" if known else " does not exist yet: make deploy creates it"
        yield ok(f"service-linked role {role}{later}")
