"""Checks that the environment's zones exist and offer every interface endpoint.

Not every endpoint exists in every zone, and zone names differ per account (EC2 user guide,
"Availability Zone IDs"); DescribeVpcEndpointServices lists the zones of each.
"""

from collections.abc import Iterator

from ops.environment.preflight.finding import PreflightFinding, error, ok
from ops.environment.preflight.plan import ClientFactory, Plan


def check(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
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
    details = ec2.describe_vpc_endpoint_services(ServiceNames=services)["ServiceDetails"]
    offered = {detail["ServiceName"]: set(detail["AvailabilityZones"]) for detail in details}
    ids = {name: zone_id for zone_id, name in known.items()}
    complete = [set(known.values()) & zones for zones in offered.values()]
    everywhere = sorted(ids[name] for name in set.intersection(*complete)) if complete else []
    faulty = False
    for service in services:
        lacking = [z for z, name in wanted.items() if name and name not in offered.get(service, ())]
        if lacking:
            faulty = True
            yield error(
                f"{service} is not offered in {', '.join(lacking)}",
                where,
                f"use zones that offer every endpoint: {', '.join(everywhere) or 'there are none'}",
            )
    if not faulty and all(wanted.values()):
        yield ok(f"{len(services)} endpoints are offered in {', '.join(wanted)}")
