"""The VPC endpoints: one for each service that is called from the VPC, limited to these calls."""

from collections.abc import Collection

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from environments import Network
from infra.reference.table import reference

# By the prefix of IAM actions. `email` is the SES API; CDK's `SES` is SMTP.
INTERFACES = {
    "comprehendmedical": {
        "ComprehendMedical": ec2.InterfaceVpcEndpointAwsService.COMPREHEND_MEDICAL
    },
    "ecr": {
        "Ecr": ec2.InterfaceVpcEndpointAwsService.ECR,
        "EcrDocker": ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
    },
    "kms": {"Kms": ec2.InterfaceVpcEndpointAwsService.KMS},
    "lambda": {"Lambda": ec2.InterfaceVpcEndpointAwsService.LAMBDA_},
    "logs": {"Logs": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS},
    "secretsmanager": {"SecretsManager": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER},
    "ses": {"Email": ec2.InterfaceVpcEndpointAwsService.EMAIL},
    "sqs": {"Sqs": ec2.InterfaceVpcEndpointAwsService.SQS},
}
GATEWAYS = {
    "dynamodb": ("DynamoDb", ec2.GatewayVpcEndpointAwsService.DYNAMODB),
    "s3": ("S3", ec2.GatewayVpcEndpointAwsService.S3),
}


class Endpoints:
    """Adds the endpoints to the network stack. Raises `KeyError` for a service that is not listed."""

    def __init__(
        self, scope: cdk.Stack, *, vpc: ec2.Vpc, network: Network, actions: Collection[str]
    ) -> None:
        self._stack = scope
        group = ec2.SecurityGroup(
            scope,
            "EndpointsSecurityGroup",
            vpc=vpc,
            description="The VPC endpoints: TLS from within the VPC",
            allow_all_outbound=False,
        )
        group.add_ingress_rule(ec2.Peer.ipv4(network.cidr), ec2.Port.tcp(443), "from the VPC")
        for prefix in sorted({action.partition(":")[0] for action in actions}):
            own = sorted(action for action in actions if action.startswith(f"{prefix}:"))
            endpoints: list[ec2.GatewayVpcEndpoint | ec2.InterfaceVpcEndpoint]
            if prefix in GATEWAYS:
                name, gateway = GATEWAYS[prefix]
                endpoints = [vpc.add_gateway_endpoint(name, service=gateway)]
            else:
                endpoints = [
                    vpc.add_interface_endpoint(
                        name,
                        service=service,
                        security_groups=[group],
                        open=False,
                        private_dns_enabled=True,
                    )
                    for name, service in INTERFACES[prefix].items()
                ]
            for endpoint in endpoints:
                for statement in self._policy(own):
                    endpoint.add_to_policy(statement)
                if prefix == "s3":
                    endpoint.add_to_policy(self._layers())

    def _policy(self, actions: list[str]) -> list[iam.PolicyStatement]:
        """Returns the endpoint policy: these actions, by this account's roles, on its resources.

        AWS sets aws:ResourceAccount only where an action has a resource (IAM user guide, "AWS global
        condition context keys").
        """
        ours = {"aws:PrincipalAccount": self._stack.account}
        both = {**ours, "aws:ResourceAccount": self._stack.account}
        on_resources = [a for a in actions if reference().action(a).resources]
        without = [a for a in actions if a not in on_resources]
        return [
            iam.PolicyStatement(
                principals=[iam.StarPrincipal()],
                actions=some,
                resources=["*"],
                conditions={"StringEquals": accounts},
            )
            for some, accounts in ((on_resources, both), (without, ours))
            if some
        ]

    def _layers(self) -> iam.PolicyStatement:
        """Returns the statement for reading image layers, which ECR stores in an AWS account's bucket.

        Amazon ECR user guide, "Amazon ECR interface VPC endpoints": minimum S3 bucket permissions.
        """
        bucket = f"prod-{self._stack.region}-starport-layer-bucket"
        return iam.PolicyStatement(
            principals=[iam.StarPrincipal()],
            actions=["s3:GetObject"],
            resources=[f"arn:{self._stack.partition}:s3:::{bucket}/*"],
        )
