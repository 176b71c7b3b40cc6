"""The one-off task of `ens smoke --in-vpc`: an MLLP client in the receiver's image."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from environments import Environment, Network
from infra.accepted_findings import INLINE, accept, accept_in_stack
from infra.grants import allow
from infra.ingress.load_balancer import MLLP, LoadBalancer
from infra.ingress.receiver_service import (
    USER,
    ReceiverService,
    task_definition,
    without_capabilities,
)
from infra.log_groups import LogGroup
from infra.network.stack import workload_security_group

CONTAINER = "smoke"
COMMAND = ["python", "-m", "receiver.smoke_client"]


class SmokeTask(Construct):
    """A task definition, its log group, and a security group that may connect to the load balancer.

    It runs only when an operator calls RunTask. The task's role has no permissions: the client only
    connects, and its answers are in its log.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        network: Network,
        vpc: ec2.IVpc,
        balancer: LoadBalancer,
        receiver: ReceiverService,
        logs_key: kms.IKey,
        operator: iam.IRole,
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        group = workload_security_group(
            self,
            "SecurityGroup",
            vpc=vpc,
            network=network,
            description="The smoke test: MLLP to the load balancer, nothing comes in",
        )
        balancer.admit(group, "MLLP from the smoke test")
        log_group = LogGroup(
            self,
            "Logs",
            name=f"/ecs/{environment.prefix}-smoke",
            key=logs_key,
            environment=environment,
        )
        task = self._task(balancer, receiver, log_group)
        self._let_run(operator, task, receiver.cluster)
        subnets = vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED).subnet_ids
        for name, value in {
            "SmokeCluster": receiver.cluster.cluster_name,
            "SmokeTaskDefinition": task.family,
            "SmokeSubnets": cdk.Fn.join(",", subnets),
            "SmokeSecurityGroup": group.security_group_id,
            "SmokeLogGroup": log_group.log_group_name,
        }.items():
            cdk.CfnOutput(cdk.Stack.of(self), name, value=value)
        accept_in_stack(
            cdk.Stack.of(self),
            {
                "W6001": "`ens smoke --in-vpc` reads all it needs from the outputs of one stack; the"
                " subnets are the network stack's."
            },
        )

    def _task(
        self, balancer: LoadBalancer, receiver: ReceiverService, log_group: LogGroup
    ) -> ecs.FargateTaskDefinition:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"),
            description="The smoke test: no permissions",
        )
        task = task_definition(
            self,
            role,
            "The variables are names and addresses; the one secret is injected by ECS.",
            family=f"{self._environment.prefix}-smoke",
        )
        task.add_container(
            CONTAINER,
            image=receiver.image,
            entry_point=COMMAND,
            environment={
                "ENS_SMOKE_HOST": balancer.balancer.load_balancer_dns_name,
                "ENS_SMOKE_PORT": str(MLLP),
                **self._tls(),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            secrets=self._identity(),
            user=USER,
            readonly_root_filesystem=True,
            logging=ecs.LogDrivers.aws_logs(stream_prefix=CONTAINER, log_group=log_group),
            linux_parameters=without_capabilities(self),
        )
        return task

    def _let_run(
        self, operator: iam.IRole, task: ecs.FargateTaskDefinition, cluster: ecs.ICluster
    ) -> None:
        """Grants the operator RunTask for this task.

        The operator's own statements let it read the task's state and log (infra/core/people/grants.py).
        ECS developer guide, "Amazon ECS task execution IAM role": RunTask passes both roles.
        """
        stack = cdk.Stack.of(self)
        revisions = f"arn:{stack.partition}:ecs:{stack.region}:{stack.account}:task-definition/{task.family}:*"
        run = allow(("ecs:RunTask",), [revisions])
        run.add_condition("ArnEquals", {"ecs:cluster": cluster.cluster_arn})
        pass_roles = allow(
            ("iam:PassRole",), [task.task_role.role_arn, task.obtain_execution_role().role_arn]
        )
        pass_roles.add_condition("StringEquals", {"iam:PassedToService": "ecs-tasks.amazonaws.com"})
        policy = iam.Policy(
            self,
            "Operator",
            roles=[operator],
            statements=[run, pass_roles],
        )
        arn = revisions.replace(stack.account, "<AWS::AccountId>")
        accept(
            policy,
            {
                "HIPAA.Security-IAMNoInlinePolicy": INLINE,
                f"AwsSolutions-IAM5[Resource::{arn}]": "A revision has a number of its own; the family is"
                " this environment's.",
            },
        )

    def _tls(self) -> dict[str, str]:
        """The TLS variables, if the environment's receiver uses TLS."""
        receiver = self._environment.receiver
        if not (receiver.certificate_arn or receiver.tls_secret):
            return {}
        name = {"ENS_SMOKE_SERVER_NAME": receiver.server_name} if receiver.server_name else {}
        return {"ENS_SMOKE_TLS": "on", **name}

    def _identity(self) -> dict[str, ecs.Secret]:
        """The secret with authority and client certificate, if the environment has one."""
        arn = self._environment.receiver.smoke_secret
        if not arn:
            return {}
        secret = secretsmanager.Secret.from_secret_complete_arn(self, "Identity", arn)
        return {"ENS_SMOKE_IDENTITY": ecs.Secret.from_secrets_manager(secret)}
