"""The EventBridge pipe: starts one synchronous execution for each message of the queue."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_pipes as pipes
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from environments import Environment
from infra.accepted_findings import INLINE, accept
from infra.grants import allow, use_key
from infra.log_groups import LogGroup


class EventPipe(Construct):
    """No filter (it would delete what does not match) and no input template.

    REQUEST_RESPONSE: the message is deleted when the execution succeeds and returns to the queue
    when it does not.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        queue: sqs.IQueue,
        queue_key: kms.IKey,
        state_machine: sfn.IStateMachine,
        logs_key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = f"{environment.prefix}-events"
        log_group = LogGroup(
            self,
            "Logs",
            name=f"/aws/vendedlogs/pipes/{self.name}",
            key=logs_key,
            environment=environment,
        )
        role = iam.Role(
            self,
            "Role",
            # Only this pipe, so that no other pipe of the account can use its grants.
            assumed_by=iam.ServicePrincipal(
                "pipes.amazonaws.com",
                conditions={
                    "ArnEquals": {
                        "aws:SourceArn": cdk.Stack.of(self).format_arn(
                            service="pipes", resource="pipe", resource_name=self.name
                        )
                    }
                },
            ),
            inline_policies={
                "Pipe": iam.PolicyDocument(
                    statements=[
                        allow(
                            ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
                            [queue.queue_arn],
                        ),
                        use_key(queue_key, "sqs", ("kms:Decrypt",)),
                        allow(("states:StartSyncExecution",), [state_machine.state_machine_arn]),
                        allow(
                            ("logs:CreateLogStream", "logs:PutLogEvents"),
                            [log_group.log_group_arn],
                        ),
                    ]
                )
            },
        )
        accept(role, {"HIPAA.Security-IAMNoInlinePolicy": INLINE})
        self.pipe = pipes.CfnPipe(
            self,
            "Resource",
            name=self.name,
            role_arn=role.role_arn,
            source=queue.queue_arn,
            source_parameters=pipes.CfnPipe.PipeSourceParametersProperty(
                sqs_queue_parameters=pipes.CfnPipe.PipeSourceSqsQueueParametersProperty(
                    batch_size=1
                )
            ),
            target=state_machine.state_machine_arn,
            target_parameters=pipes.CfnPipe.PipeTargetParametersProperty(
                step_function_state_machine_parameters=(
                    pipes.CfnPipe.PipeTargetStateMachineParametersProperty(
                        invocation_type="REQUEST_RESPONSE"
                    )
                )
            ),
            log_configuration=pipes.CfnPipe.PipeLogConfigurationProperty(
                level="ERROR",
                cloudwatch_logs_log_destination=(
                    pipes.CfnPipe.CloudwatchLogsLogDestinationProperty(
                        log_group_arn=log_group.log_group_arn
                    )
                ),
            ),
        )
