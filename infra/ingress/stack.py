"""The ingress stack: the load balancer and the receivers. It uses network and core."""

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from environments import Environment, Network
from infra.core.stack import CoreStack
from infra.ingress.load_balancer import HEALTH, MLLP, LoadBalancer
from infra.ingress.receiver_service import ReceiverService
from infra.ingress.smoke_task import SmokeTask
from infra.monitoring.metrics import metric, own, summed
from infra.monitoring.queries import save_queries
from infra.network.stack import workload_security_group

# The reasons in receiver/intake/rejections.py, by alarm. An alarm can have ten metrics:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html
NOT_STORED = ("store_unavailable", "receiver_fault", "no_room")
UNACCEPTABLE = (
    *("not_hl7", "msh_unreadable", "no_start_block", "no_control_id"),
    *("unknown_trigger", "oversize", "cut_off", "too_many_segments", "batch", "second_message"),
)
NOT_ALLOWED = ("unknown_type", "processing_id", "sender_not_allowed", "trigger_not_allowed")


class IngressStack(cdk.Stack):
    """The load balancer, the receivers, the smoke task and their alarms."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        network: Network,
        vpc: ec2.IVpc,
        core: CoreStack,
        **options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **options)
        tasks = workload_security_group(
            self,
            "ReceiverSecurityGroup",
            vpc=vpc,
            network=network,
            description="The receivers: MLLP and health checks from the load balancer",
        )
        balancer = LoadBalancer(
            self,
            "LoadBalancer",
            environment=environment,
            network=network,
            vpc=vpc,
            tasks=tasks,
        )
        receiver = ReceiverService(
            self,
            "Receiver",
            environment=environment,
            vpc=vpc,
            security_group=tasks,
            logs_key=core.stores.keys.logs,
            variables={
                "ENS_ENVIRONMENT": environment.name,
                "ENS_VAULT_BUCKET": core.stores.vault.bucket.bucket_name,
                "ENS_QUEUE_URL": core.stores.queues.events.queue_url,
                "ENS_REFERENCE_KEY_SECRET": core.stores.secrets.reference_key.secret_arn,
                # Without its version: a changed document must not replace the running receivers.
                **core.stores.configuration.variables,
                "ENS_MLLP_HOST": "0.0.0.0",  # noqa: S104  a task's own interface; its group guards it
                "ENS_MLLP_PORT": str(MLLP),
                "ENS_HEALTH_PORT": str(HEALTH),
                "ENS_UNKNOWN_SENDERS": environment.receiver.unknown_senders,
                **_given("ENS_PROCESSING_IDS", ",".join(environment.receiver.processing_ids)),
                **_given("ENS_TLS_SECRET", environment.receiver.tls_secret),
            },
            role=core.receiver_role,
        )
        SmokeTask(
            self,
            "Smoke",
            environment=environment,
            network=network,
            vpc=vpc,
            balancer=balancer,
            receiver=receiver,
            logs_key=core.stores.keys.logs,
            operator=core.people.operator,
        )
        save_queries(self, environment, "receiver", [receiver.log_group])
        group = balancer.send_to(receiver.service)
        self._watch(environment, core, balancer, group.target_group_full_name)
        cdk.CfnOutput(
            self,
            "ReceiverAddress",
            value=f"{balancer.balancer.load_balancer_dns_name}:{MLLP}",
        )

    def _watch(
        self, environment: Environment, core: CoreStack, balancer: LoadBalancer, group: str
    ) -> None:
        healthy = metric(
            "AWS/NetworkELB",
            "HealthyHostCount",
            {
                "LoadBalancer": balancer.balancer.load_balancer_full_name,
                "TargetGroup": group,
            },
            statistic="Minimum",
            minutes=1,
        )
        alarms = core.alarms
        alarms.watch(self, "receivers-missing", healthy, threshold=environment.receiver.desired)
        not_stored = {
            **_rejected(environment, NOT_STORED),
            "rejected": own(environment, "Receiver", "RejectedNotStored"),
        }
        for name, parts, label in (
            ("receiver-cannot-store", not_stored, "not stored"),
            ("messages-rejected", _rejected(environment, UNACCEPTABLE), "rejected"),
            ("messages-not-allowed", _rejected(environment, NOT_ALLOWED), "not allowed"),
        ):
            alarms.watch(self, name, summed(parts, label=label))
        alarms.watch_counts(
            self,
            *("configuration-not-used", "certificate-not-used", "certificates-expiring"),
            *("receiver-tasks-failed", "acknowledgements-slow", "storing-slow"),
        )


def _given(name: str, value: str) -> dict[str, str]:
    """Returns the variable, or nothing for an empty value."""
    return {name: value} if value else {}


def _rejected(environment: Environment, reasons: Sequence[str]) -> dict[str, cloudwatch.Metric]:
    """The receiver's counts of messages rejected for these reasons."""
    return {one: own(environment, "Receiver", "Rejected", reason=one) for one in reasons}
