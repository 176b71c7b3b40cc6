"""The network stack: a VPC without a way to the internet, AWS's services in it, the hospitals' VPN."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from environments import Environment, Network
from infra.findings import INLINE, accept
from infra.keys import logs_key
from infra.log_groups import LogGroup
from infra.mdm import open_way

HTTPS = ec2.Port.tcp(443)

# Only what something in the VPC calls. The receiver: SQS, Secrets Manager, and for its task Logs and
# ECR. The functions: Secrets Manager, Comprehend Medical, and EMAIL, which is the SES API (`SES` is
# SMTP). Nobody calls KMS himself, and what a function logs and traces goes by Lambda's own way.
SERVICES = {
    "ComprehendMedical": ec2.InterfaceVpcEndpointAwsService.COMPREHEND_MEDICAL,
    "Ecr": ec2.InterfaceVpcEndpointAwsService.ECR,
    "EcrDocker": ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
    "Email": ec2.InterfaceVpcEndpointAwsService.EMAIL,
    "Logs": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    "SecretsManager": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
    "Sqs": ec2.InterfaceVpcEndpointAwsService.SQS,
}


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
                    name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=26
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
        accept(
            self.vpc,
            {
                "CloudFormation-Validate::W3010": "Zones by name are a setting of the environment:"
                " synth asks AWS for nothing.",
                "HIPAA.Security-VPCDefaultSecurityGroupClosed": "Nothing is put into the default"
                " group; CloudFormation can empty it only by a function of its own.",
            },
        )
        # Nobody calls a function over the network, so nothing may come in.
        self.functions = workload_security_group(
            self,
            "FunctionsSecurityGroup",
            vpc=self.vpc,
            network=network,
            description="The functions: nothing comes in",
        )
        open_way(self.functions, environment.mdm)
        self._open_services(network)
        self._log_connections(environment)

    @property
    def availability_zones(self) -> list[str]:
        """The zones of the settings."""
        return self._zones

    def _open_services(self, network: Network) -> None:
        s3 = self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        s3.add_to_policy(self._ours("s3:*"))
        # Where ECR keeps the layers of images (ECR user guide, "Amazon ECR interface VPC endpoints").
        layers = f"arn:{self.partition}:s3:::prod-{self.region}-starport-layer-bucket/*"
        s3.add_to_policy(_anyone(["s3:GetObject"], [layers]))
        self.vpc.add_gateway_endpoint(
            "DynamoDb", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB
        ).add_to_policy(self._ours("dynamodb:*"))
        group = ec2.SecurityGroup(
            self,
            "EndpointsSecurityGroup",
            vpc=self.vpc,
            description="The VPC endpoints: TLS from within the VPC",
            allow_all_outbound=False,
        )
        group.add_ingress_rule(ec2.Peer.ipv4(network.cidr), HTTPS, "from the VPC")
        for name, service in SERVICES.items():
            self.vpc.add_interface_endpoint(
                name, service=service, security_groups=[group], open=False, private_dns_enabled=True
            )

    def _ours(self, actions: str) -> iam.PolicyStatement:
        """An endpoint's ceiling, which grants nothing: to this account's buckets and tables only."""
        statement = _anyone([actions], ["*"])
        statement.add_condition("StringEquals", {"aws:ResourceAccount": self.account})
        return statement

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


def _anyone(actions: list[str], resources: list[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        principals=[iam.AnyPrincipal()], actions=actions, resources=resources
    )


def workload_security_group(
    scope: Construct, construct_id: str, *, vpc: ec2.IVpc, network: Network, description: str
) -> ec2.SecurityGroup:
    """A security group for what runs in the VPC: out to AWS's services over TLS, and nothing in."""
    group = ec2.SecurityGroup(
        scope, construct_id, vpc=vpc, description=description, allow_all_outbound=False
    )
    group.add_egress_rule(ec2.Peer.ipv4(network.cidr), HTTPS, "to the interface endpoints")
    for prefix_list in network.prefix_lists:
        group.add_egress_rule(
            ec2.Peer.prefix_list(prefix_list), HTTPS, "to the S3 and DynamoDB gateway endpoints"
        )
    return group
