"""Prepares an account for a deployment: `python -m ops.environment.account <environment>`.

Creates the service-linked roles that are missing and prints the CDK context of a first deployment.
"""

import sys
from typing import Any

import boto3

from ops import aws_calls
from ops.aws_calls import if_exists
from ops.environment.deployable import deployable, own_account
from ops.problem import FAILURES, sentence

SERVICES = (
    "ecs.amazonaws.com",
    "ecs.application-autoscaling.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
)
"""The services whose service-linked role must exist before a stack uses them.

ECS makes its role with an account's first cluster, and the service that follows may come before the
role is ready (ECS developer guide, "Using service-linked roles for Amazon ECS").
"""

PARTS = ("network", "core", "ingress")
FIRST = "-c first-deployment=true"


def missing_roles(iam: Any) -> list[str]:
    """Returns the services of `SERVICES` that have no role in this account."""
    return [
        service
        for service in SERVICES
        if not iam.list_roles(PathPrefix=f"/aws-service-role/{service}/")["Roles"]
    ]


def create_roles(iam: Any) -> list[str]:
    """Creates the missing service-linked roles and returns their services.

    A template cannot do this: `AWS::IAM::ServiceLinkedRole` fails where the role exists.
    """
    # IAM may list fewer roles than there are (ListRoles, IsTruncated), and answers InvalidInput for one that exists.
    create = iam.create_service_linked_role
    return [s for s in missing_roles(iam) if if_exists(create, "InvalidInput", AWSServiceName=s)]


def is_first_deployment(cloudformation: Any, prefix: str) -> bool:
    """Whether a stack of the environment is absent, or its creation has failed."""
    return any(not _created(cloudformation, f"{prefix}-{part}") for part in PARTS)


def _created(cloudformation: Any, stack: str) -> bool:
    found = aws_calls.stack(cloudformation, stack)
    return found is not None and found["StackStatus"] not in (
        *("REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_FAILED"),
        *("ROLLBACK_IN_PROGRESS", "ROLLBACK_FAILED", "ROLLBACK_COMPLETE"),
        *("DELETE_IN_PROGRESS", "DELETE_FAILED", "DELETE_COMPLETE"),
    )


def main(arguments: list[str]) -> int:
    """Prints the context options for `cdk deploy` on stdout, and the created roles on stderr."""
    try:
        environment = deployable(arguments)
        own_account(environment)
        for service in create_roles(boto3.client("iam")):
            print(f"created the service-linked role of {service}", file=sys.stderr)
        cloudformation = boto3.client("cloudformation", region_name=environment.region)
        if is_first_deployment(cloudformation, environment.prefix):
            print(FIRST)
    except FAILURES as error:
        print(f"hl7-ens: cannot prepare the account: {sentence(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
