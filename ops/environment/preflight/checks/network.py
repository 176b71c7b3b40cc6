"""Checks that the environment's zones offer every interface endpoint, and its prefix lists.

Not every endpoint exists in every zone, and zone names differ per account (EC2 user guide,
"Availability Zone IDs"); DescribeVpcEndpointServices lists the zones of each.
https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
"""

from collections.abc import Iterator

from ops.environment.preflight.check_input import ClientFactory, Plan
from ops.environment.preflight.finding import PreflightFinding, error, ok


def check_zones(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """Zones may be given by name (`us-east-1a`) or by id (`use1-az1`)."""
    network = plan.environment.network
    if network is None:
        return
    ec2 = clients.client("ec2")
    answer = ec2.describe_availability_zones(
        Filters=[{"Name": "zone-type", "Values": ["availability-zone"]}]
    )
    known = {zone["ZoneId"]: zone["ZoneName"] for zone in answer["AvailabilityZones"]}
    names = {**known, **{name: name for name in known.values()}}
    where = f"{plan.file}: network"
    wanted = {zone: names.get(zone, "") for zone in network.availability_zones}
    for zone in (zone for zone, name in wanted.items() if not name):
        yield error(
            f"the account has no zone {zone} in {plan.region}",
            where,
            f"choose among {', '.join(f'{i} ({n})' for i, n in sorted(known.items()))}",
        )
    services = sorted(
        {
            endpoint.text("ServiceName")
            for endpoint in plan.assembly.of_type("AWS::EC2::VPCEndpoint")
            if endpoint.text("VpcEndpointType") == "Interface"
        }
    )
    # A filter, because AWS refuses the whole request for one name that the region does not have.
    by_name = [{"Name": "service-name", "Values": services}]
    details = ec2.describe_vpc_endpoint_services(Filters=by_name)["ServiceDetails"]
    offered = {detail["ServiceName"]: set(detail["AvailabilityZones"]) for detail in details}
    ids = {name: zone_id for zone_id, name in known.items()}
    complete = [set(known.values()) & zones for zones in offered.values()]
    everywhere = sorted(ids[name] for name in set.intersection(*complete)) if complete else []
    faulty = False
    for service in services:
        if service not in offered:
            faulty = True
            yield error(
                f"{service} does not exist: the VPC would have no way to it",
                f"EC2 in {plan.region}; {plan.file}: region",
                "choose a region that has it; where only functions call it,"
                " network.functions_inside = false is enough",
            )
            continue
        lacking = [z for z, name in wanted.items() if name and name not in offered.get(service, ())]
        if lacking:
            faulty = True
            yield error(
                f"{service} is not offered in {', '.join(lacking)}",
                where,
                f"use zones that offer every endpoint: {', '.join(everywhere) or 'there are none'}",
            )
    for detail in details:
        if not detail.get("VpcEndpointPolicySupported", True):
            faulty = True
            yield error(
                f"{detail['ServiceName']} takes no endpoint policy: EC2 refuses the endpoint",
                f"EC2 in {plan.region}; {plan.file}: region",
                "where only functions call it, set network.functions_inside = false",
            )
    if not faulty and all(wanted.values()):
        yield ok(f"{len(services)} endpoints are offered in {', '.join(wanted)}")


def check_prefix_lists(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
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
