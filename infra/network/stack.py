"""The network stack: a VPC without internet access, VPC endpoints, and the hospitals' VPN."""

from collections.abc import Collection
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from environments import Environment, Network
from environments.sections import SUBNET_MASK
from infra.accepted_findings import INLINE, accept
from infra.core.stores.keys import logs_key
from infra.log_groups import LogGroup
from infra.mpi import allow_egress_to_mpi
from infra.network.endpoints import Endpoints

HTTPS = ec2.Port.tcp(443)


class NetworkStack(cdk.Stack):
    """Isolated subnets only: no internet gateway, no NAT."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        network: Network,
        **options: Any,
    ) -> None:
        # The zones are a setting: CDK would ask AWS for those of a known account.
        self._network = network
        self._zones = list(network.availability_zones)
        super().__init__(scope, construct_id, **options)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            vpc_name=environment.prefix,
            ip_addresses=ec2.IpAddresses.cidr(network.cidr),
            availability_zones=self._zones,
            create_internet_gateway=False,
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="isolated",
                    subnet_type=ec2.SubnetType.PRIVATE_ISOLATED,
                    cidr_mask=SUBNET_MASK,
                )
            ],
            vpn_connections={
                gateway.name: ec2.VpnConnectionOptions(
                    ip=gateway.ip, asn=gateway.asn, static_routes=list(gateway.networks)
                )
                for gateway in network.customer_gateways
            }
            or None,
            vpn_route_propagation=[
                ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
            ],
        )
        self._name_zones_by_id()
        for gateway in network.customer_gateways:
            connection = self.vpc.node.find_child(gateway.name)
            name = f"{environment.prefix}-{gateway.name}"
            # Each configuration holds its hospital's keys: it must be found without the others.
            cdk.Tags.of(connection).add("Name", name)
            # Without it, EC2 gives a second environment of the account, or a second hospital behind the
            # same device, the first one's customer gateway (EC2 API, "CreateCustomerGateway").
            device = cast(ec2.CfnCustomerGateway, connection.node.find_child("CustomerGateway"))
            device.device_name = name
        accept(
            self.vpc,
            {
                "HIPAA.Security-VPCDefaultSecurityGroupClosed": "Nothing is put into the default"
                " group; CloudFormation can empty it only by a function of its own.",
            },
        )
        # Functions accept no connections, so there is no ingress rule.
        self.functions = workload_security_group(
            self,
            "FunctionsSecurityGroup",
            vpc=self.vpc,
            network=network,
            description="The functions: nothing comes in",
        )
        # Exported also where no function is inside: CloudFormation removes no export that a deployed
        # stack imports, so the network of an environment whose functions leave the VPC failed to deploy.
        self.export_value(self.functions.security_group_id)
        allow_egress_to_mpi(self.functions, environment.mpi)
        self._log_connections(environment)

    @property
    def availability_zones(self) -> list[str]:
        """Returns the availability zones of the settings."""
        return self._zones

    def _name_zones_by_id(self) -> None:
        """Sets each subnet's zone by the zone's id (`use1-az1`).

        `us-east-1a` names different zones in different accounts; an id names the same zone in all. AWS
        says by zone id where an endpoint is offered (EC2 user guide, "AZ IDs").
        """
        for subnet in self.vpc.isolated_subnets:
            resource = cast(ec2.CfnSubnet, subnet.node.default_child)
            resource.availability_zone_id = resource.availability_zone
            resource.availability_zone = None

    def open_endpoints(self, actions: Collection[str]) -> None:
        """Adds the endpoints of the services of these IAM actions, limited to these actions."""
        Endpoints(self, vpc=self.vpc, network=self._network, actions=actions)

    def _log_connections(self, environment: Environment) -> None:
        group = LogGroup(
            self,
            "FlowLogs",
            name=f"/aws/vpc/{environment.prefix}-flow",
            key=logs_key(
                self, "FlowLogsKey", environment=environment, purpose="the VPC's flow logs"
            ),
            environment=environment,
        )
        role = iam.Role(
            self, "FlowLogsRole", assumed_by=iam.ServicePrincipal("vpc-flow-logs.amazonaws.com")
        )
        accept(role, {"HIPAA.Security-IAMNoInlinePolicy": INLINE})
        self.vpc.add_flow_log(
            "Flow",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(group, role),
            traffic_type=ec2.FlowLogTrafficType.ALL,
        )


def workload_security_group(
    scope: Construct, construct_id: str, *, vpc: ec2.IVpc, network: Network, description: str
) -> ec2.SecurityGroup:
    """Returns a security group for tasks and functions: egress to AWS services over TLS, no ingress."""
    group = ec2.SecurityGroup(
        scope, construct_id, vpc=vpc, description=description, allow_all_outbound=False
    )
    group.add_egress_rule(ec2.Peer.ipv4(network.cidr), HTTPS, "to the interface endpoints")
    for prefix_list in network.prefix_lists:
        group.add_egress_rule(
            ec2.Peer.prefix_list(prefix_list), HTTPS, "to the S3 and DynamoDB gateway endpoints"
        )
    return group
