"""The receiver as an ECS service on Fargate: image, task, role, scaling, graceful stop."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from environments import Environment
from infra.accepted_findings import INLINE, accept
from infra.ingress.image import receiver_image
from infra.ingress.load_balancer import DRAIN, HEALTH, MLLP
from infra.log_groups import LogGroup

CONTAINER = "receiver"
USER = "10001:10001"
# What ECS calls to start a task: pulling its image, and its log (ECR user guide, "Amazon ECR interface
# VPC endpoints"; ECS developer guide, "awslogs log driver").
STARTING = frozenset(
    {
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetAuthorizationToken",
        "ecr:GetDownloadUrlForLayer",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }
)
# ECS checks `/live`, not `/ready`: a receiver that cannot store stays in service and answers AR.
PROBE = ["CMD", "python", "-m", "receiver.probe"]


class ReceiverService(Construct):
    """Receivers in at least two zones. A deployment whose tasks do not start is rolled back."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        vpc: ec2.IVpc,
        security_group: ec2.ISecurityGroup,
        variables: Mapping[str, str],
        role: iam.IRole,
        logs_key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self.log_group = LogGroup(
            self,
            "Logs",
            name=f"/ecs/{environment.prefix}-receiver",
            key=logs_key,
            environment=environment,
        )
        self.image = ecs.ContainerImage.from_docker_image_asset(receiver_image(self))
        task = self._task(role, variables)
        self.cluster = ecs.Cluster(
            self,
            "Cluster",
            cluster_name=environment.prefix,
            vpc=vpc,
            container_insights_v2=ecs.ContainerInsights.ENABLED,
        )
        self.service = ecs.FargateService(
            self,
            "Service",
            service_name=f"{environment.prefix}-receiver",
            cluster=self.cluster,
            task_definition=task,
            # No desired_count: with it, each deployment ends the receivers that the scaling has added
            # (aws/containers-roadmap issue 493). The scaling starts the first `receiver.desired`.
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            health_check_grace_period=cdk.Duration.seconds(60),
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            security_groups=[security_group],
            assign_public_ip=False,
            enable_execute_command=False,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )
        # Senders keep connections open: a new task gets work only after reconnects, and a stopped
        # task closes some. So scale in slowly.
        self.service.auto_scale_task_count(
            min_capacity=environment.receiver.desired,
            max_capacity=environment.receiver.maximum,
        ).scale_on_cpu_utilization(
            "Cpu",
            target_utilization_percent=60,
            scale_out_cooldown=cdk.Duration.minutes(1),
            scale_in_cooldown=cdk.Duration.minutes(30),
        )

    def _task(self, role: iam.IRole, variables: Mapping[str, str]) -> ecs.FargateTaskDefinition:
        task = task_definition(
            self,
            role,
            "The variables are names and addresses; the one secret is read from Secrets Manager at"
            " start.",
        )
        container = task.add_container(
            CONTAINER,
            image=self.image,
            environment={**variables, "PYTHONDONTWRITEBYTECODE": "1"},
            user=USER,
            readonly_root_filesystem=True,
            stop_timeout=DRAIN,
            logging=ecs.LogDrivers.aws_logs(
                stream_prefix=CONTAINER,
                log_group=self.log_group,
                mode=ecs.AwsLogDriverMode.NON_BLOCKING,
                max_buffer_size=cdk.Size.mebibytes(8),
            ),
            health_check=ecs.HealthCheck(
                command=PROBE,
                interval=cdk.Duration.seconds(15),
                timeout=cdk.Duration.seconds(5),
                retries=3,
                start_period=cdk.Duration.seconds(30),
            ),
            linux_parameters=without_capabilities(self),
        )
        container.add_port_mappings(
            ecs.PortMapping(container_port=MLLP), ecs.PortMapping(container_port=HEALTH)
        )
        return task


def task_definition(
    scope: Construct, role: iam.IRole, variables_are: str, *, family: str | None = None
) -> ecs.FargateTaskDefinition:
    """A task of a quarter of a vCPU on arm64. `variables_are` says why its variables need no secret."""
    task = ecs.FargateTaskDefinition(
        scope,
        "Task",
        family=family,
        task_role=role,
        cpu=256,
        memory_limit_mib=512,
        runtime_platform=ecs.RuntimePlatform(
            cpu_architecture=ecs.CpuArchitecture.ARM64,
            operating_system_family=ecs.OperatingSystemFamily.LINUX,
        ),
    )
    accept(
        task,
        {
            "AwsSolutions-ECS2": variables_are,
            "AwsSolutions-IAM5[Resource::*]": "The action ecr:GetAuthorizationToken supports no"
            " resource-level permissions.",
            "HIPAA.Security-IAMNoInlinePolicy": INLINE,
        },
    )
    return task


def without_capabilities(scope: Construct) -> ecs.LinuxParameters:
    """Linux parameters of a container: an init process, and no capability."""
    parameters = ecs.LinuxParameters(scope, "Linux", init_process_enabled=True)
    parameters.drop_capabilities(ecs.Capability.ALL)
    return parameters
