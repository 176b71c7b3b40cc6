"""The EXPRESS state machine: the file in statemachine/, its role, its log."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from environments import Environment
from infra.accepted_findings import DEPENDS_ON_ROLE, INLINE, accept
from infra.core.stores.stores import Stores
from infra.grants import allow, send_messages, use_table
from infra.log_groups import LogGroup

DEFINITION = Path(__file__).resolve().parents[3] / "statemachine" / "patient_event.asl.json"


class PatientEventWorkflow(Construct):
    """The workflow of statemachine/, with the names of this environment substituted."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        substitutions: Mapping[str, str],
        grants: Sequence[iam.PolicyStatement],
        logs_key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        name = f"{environment.prefix}-patient-event"
        self.log_group = LogGroup(
            self,
            "Logs",
            # With this prefix AWS needs no resource policy for each log group.
            name=f"/aws/vendedlogs/states/{name}",
            key=logs_key,
            environment=environment,
        )
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        for statement in grants:
            self.role.add_to_policy(statement)
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            state_machine_type=sfn.StateMachineType.EXPRESS,
            # from_string: the template holds the definition, and the local system reads it there.
            definition_body=sfn.DefinitionBody.from_string(DEFINITION.read_text("utf-8")),
            definition_substitutions=dict(substitutions),
            role=self.role,
            tracing_enabled=True,
            # Every state by name in all environments; input and output (ids and codes, no patient
            # data) only where the environment pays for them: docs/adr/0142.
            logs=sfn.LogOptions(
                destination=self.log_group,
                level=sfn.LogLevel.ALL,
                include_execution_data=environment.log_execution_data,
            ),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        accept(self.state_machine, {"W3005": DEPENDS_ON_ROLE})
        accept(
            self.role,
            {
                "HIPAA.Security-IAMNoInlinePolicy": INLINE,
                "AwsSolutions-IAM5[Resource::*]": "X-Ray and the delivery of logs (Step Functions"
                ' developer guide, "Logging using CloudWatch Logs") know no resources to grant on.',
            },
        )


def workflow_grants(
    steps: Sequence[lambda_.IFunction], stores: Stores
) -> list[iam.PolicyStatement]:
    """Returns the statements for the states: call the steps, write audit and status, settle the message."""
    tables, queues = stores.tables, stores.queues
    return [
        allow(("lambda:InvokeFunction",), [step.function_arn for step in steps]),
        *use_table(tables.audit, "PutItem"),
        *use_table(tables.status, "UpdateItem"),
        *send_messages(queues.dead_letters),
        allow(("sqs:ChangeMessageVisibility",), [queues.events.queue_arn]),
    ]
