"""Whether the service-linked roles exist: the first ECS cluster of an account races with its role.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html
"""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from ops.preflight.finding import Finding, error, ok
from ops.preflight.plan import Clients, Plan

# The resource type that needs a role, the role's name, the service that owns it.
ROLES = (
    ("AWS::ECS::Cluster", "AWSServiceRoleForECS", "ecs.amazonaws.com"),
    (
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWSServiceRoleForElasticLoadBalancing",
        "elasticloadbalancing.amazonaws.com",
    ),
    (
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWSServiceRoleForApplicationAutoScaling_ECSService",
        "ecs.application-autoscaling.amazonaws.com",
    ),
)


def check(plan: Plan, clients: Clients) -> Iterator[Finding]:
    """Each role that a resource of the assembly needs exists (IAM GetRole)."""
    for resource_type, role, service in ROLES:
        if not any(plan.assembly.of_type(resource_type)):
            continue
        try:
            clients.client("iam").get_role(RoleName=role)
        except ClientError as problem:
            if problem.response["Error"]["Code"] != "NoSuchEntity":
                raise
            yield error(
                f"the service-linked role {role} does not exist",
                "IAM",
                f"aws iam create-service-linked-role --aws-service-name {service}",
            )
        else:
            yield ok(f"service-linked role {role}")
