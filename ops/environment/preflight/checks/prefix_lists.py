"""Checks that the file has the region's prefix lists of S3 and DynamoDB.

https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
"""

from collections.abc import Iterator

from ops.environment.preflight.finding import PreflightFinding, error, ok
from ops.environment.preflight.plan import ClientFactory, Plan


def check(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """The ids in the file are those of DescribeManagedPrefixLists."""
    network = plan.environment.network
    if network is None:
        return
    names = [f"com.amazonaws.{plan.region}.{service}" for service in ("s3", "dynamodb")]
    answer = clients.client("ec2").describe_managed_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": names}]
    )
    found = {one["PrefixListName"]: one["PrefixListId"] for one in answer["PrefixLists"]}
    right = [found[name] for name in names if name in found]
    if set(network.prefix_lists) == set(right):
        yield ok(f"prefix lists of S3 and DynamoDB in {plan.region}")
    else:
        yield error(
            f"the prefix lists are not those of S3 and DynamoDB in {plan.region}",
            f"{plan.file}: network.prefix_lists",
            f"set prefix_lists to {right}",
        )
