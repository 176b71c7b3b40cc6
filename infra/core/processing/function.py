"""The Lambda function of one step, with its role, its policy and its log group."""

import re
from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from environments import Environment
from infra.accepted_findings import DEPENDS_ON_ROLE, INLINE, accept
from infra.asset import Target, code_of
from infra.grants import allow, calls, send_messages
from infra.log_groups import LogGroup

INTERFACE_ACTIONS = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)


class StepLambda(lambda_.Function):
    """The function called `<prefix>-<name>`; its construct id is the step's name.

    Its folder under lambdas/ has that name in small letters: `ParseMessage`, `parse_message`. `grants` is
    all that it may do besides writing its own log and traces. Without a VPC it runs in Lambda's own
    network. Lambda writes the events to `dead_letters` whose asynchronous invocations failed three times;
    without it, Lambda discards them (Lambda developer guide, "Error handling for asynchronous invocation").
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        environment: Environment,
        timeout: int,
        variables: Mapping[str, str],
        grants: Sequence[iam.PolicyStatement],
        logs_key: kms.IKey,
        vpc: ec2.IVpc | None,
        security_group: ec2.ISecurityGroup | None,
        concurrency: int | None = None,
        dead_letters: sqs.Queue | None = None,
    ) -> None:
        function_name = f"{environment.prefix}-{name}"
        folder = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
        log_group = LogGroup(
            scope,
            f"{name}Logs",
            name=f"/aws/lambda/{function_name}",
            environment=environment,
            key=logs_key,
        )
        role = iam.Role(
            scope,
            f"{name}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"{function_name}: the permissions of this step",
        )
        for statement in (
            *grants,
            allow(
                ("logs:CreateLogStream", "logs:PutLogEvents"),
                [log_group.log_group_arn],
            ),
        ):
            role.add_to_policy(statement)
        if dead_letters:
            for statement in send_messages(dead_letters):
                role.add_to_policy(statement)
        if vpc:
            _let_lambda_attach(role, function_name)
            accept(
                role.node.find_child("DefaultPolicy"),
                {
                    "CKV_AWS_111": "CreateNetworkInterface supports no resource-level"
                    " permissions here; the Deny statement keeps the function's"
                    " code from calling it."
                },
            )
        super().__init__(
            scope,
            name,
            function_name=function_name,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=code_of(folder, Target.of(environment.target)),
            handler=f"lambdas.{folder}.handler.lambda_handler",
            role=role,
            timeout=cdk.Duration.seconds(timeout),
            memory_size=512,
            environment={
                **variables,
                "POWERTOOLS_SERVICE_NAME": name,
                "POWERTOOLS_METRICS_NAMESPACE": "hl7-ens",
                "POWERTOOLS_LOG_LEVEL": "INFO",
            },
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE,
            reserved_concurrent_executions=concurrency,
            dead_letter_queue=dead_letters,
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
            if vpc
            else None,
            security_groups=[security_group] if security_group else None,
        )
        self.own_role = role
        self.calls_from_vpc = calls(grants) if vpc else frozenset[str]()
        accept(
            role,
            {
                "HIPAA.Security-IAMNoInlinePolicy": INLINE,
                "AwsSolutions-IAM5[Resource::*]": "X-Ray, Comprehend Medical, SES GetAccount and"
                " the making of network interfaces know no resources to grant on.",
            },
        )
        outside = (
            "This environment runs its functions outside the VPC, where they need no interface"
            " endpoints: docs/adr/0112."
        )
        one_at_a_time = (
            "One invocation per message in flight: the pipe is the limit. Reserving for each step"
            " would take from the account's other functions."
        )
        repeated = (
            "The workflow calls the steps synchronously and has its own dead-letter queue; a schedule"
            " calls again."
        )
        accept(
            self,
            {
                "AwsSolutions-L1": "3.13 is supported until 2029; every package is built and tested"
                " for it.",
                "HIPAA.Security-LambdaConcurrency": one_at_a_time,
                **({} if concurrency else {"CKV_AWS_115": one_at_a_time}),
                **(
                    {}
                    if dead_letters
                    else {"HIPAA.Security-LambdaDLQ": repeated, "CKV_AWS_116": repeated}
                ),
                "CKV_AWS_173": "The variables are names, ARNs and numbers. Lambda encrypts them under"
                " its own key; secrets are read from Secrets Manager.",
                **(
                    {"HIPAA.Security-LambdaInsideVPC": outside, "CKV_AWS_117": outside}
                    if vpc is None and environment.network is not None
                    else {}
                ),
                "W3005": DEPENDS_ON_ROLE,
            },
        )


def _let_lambda_attach(role: iam.Role, function_name: str) -> None:
    """Lets the Lambda service create the function's network interfaces, and denies this to the function's code.

    AWS Lambda developer guide, "Giving Lambda functions access to resources in an Amazon VPC".
    """
    stack = cdk.Stack.of(role)
    role.add_to_policy(allow(INTERFACE_ACTIONS, ["*"]))
    role.add_to_policy(
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=list(INTERFACE_ACTIONS),
            resources=["*"],
            conditions={
                "ArnEquals": {
                    "lambda:SourceFunctionArn": stack.format_arn(
                        service="lambda",
                        resource="function",
                        resource_name=function_name,
                        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                    )
                }
            },
        )
    )
