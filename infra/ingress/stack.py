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
from infra.monitoring.alarm_topic import Comparison, Missing
from infra.monitoring.metrics import metric, own, summed
from infra.monitoring.queries import SavedQuery
from infra.network.stack import workload_security_group

# The reasons in receiver/intake/rejections.py, by alarm. An alarm can have ten metrics:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-limits.html
NOT_STORED = ("store_unavailable", "receiver_fault", "no_room")
UNACCEPTABLE = (
    *("not_hl7", "msh_unreadable", "no_start_block", "no_control_id"),
    *("unknown_trigger", "oversize", "cut_off", "too_many_segments", "batch", "second_message"),
)
NOT_ALLOWED = ("unknown_type", "processing_id", "sender_not_allowed", "trigger_not_allowed")

# 99th percentiles. Senders should wait 15 s before they send again (docs/receiver.md).
ACKNOWLEDGED_WITHIN_MS = 2000
STORED_WITHIN_MS = 1500


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
        SavedQuery(
            self,
            "Rejections",
            environment=environment,
            title="messages rejected or not stored, newest first",
            groups=[receiver.log_group],
            fields=["@timestamp", "message", "reason", "event_id", "connection", "key", "error"],
            condition='level in ["WARNING", "ERROR"]',
            newest_first=True,
        )
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
        core.alarms.watch(
            self,
            "receivers-missing",
            meaning="Fewer healthy receivers than configured: senders may be unable to connect.",
            metric=metric(
                "AWS/NetworkELB",
                "HealthyHostCount",
                {
                    "LoadBalancer": balancer.balancer.load_balancer_full_name,
                    "TargetGroup": group,
                },
                statistic="Minimum",
                minutes=1,
            ),
            comparison=Comparison.LESS_THAN_THRESHOLD,
            threshold=environment.receiver.desired,
            periods=5,
            missing=Missing.BREACHING,
        )
        rejected_not_stored = own(environment, "Receiver", "RejectedNotStored")
        core.alarms.watch(
            self,
            "receiver-cannot-store",
            meaning="Senders get AR because vault or queue could not be reached. They send their messages again.",
            metric=summed(
                {**_rejected(environment, NOT_STORED), "rejected": rejected_not_stored},
                label="not stored",
            ),
        )
        core.alarms.watch(
            self,
            "messages-rejected",
            meaning="Messages were rejected because of their content; their bytes are under rejected/.",
            metric=summed(_rejected(environment, UNACCEPTABLE), label="rejected"),
            tells_end=False,
        )
        core.alarms.watch(
            self,
            "messages-not-allowed",
            meaning="Messages were rejected that their sender or this environment may not send.",
            metric=summed(_rejected(environment, NOT_ALLOWED), label="not allowed"),
            tells_end=False,
        )
        for name, measured, meaning in (
            (
                "configuration-not-used",
                "ConfigurationNotUsed",
                "A receiver cannot read or use the newest configuration document and uses"
                " the previous one.",
            ),
            (
                "certificate-not-used",
                "CertificateNotUsed",
                "A receiver cannot use its new certificate, client authorities or revocation"
                " lists and uses the previous ones.",
            ),
            (
                "certificates-expiring",
                "CertificatesExpiring",
                "A certificate of the receiver, of a client authority or of a sender expires"
                " within 30 days; `ens senders expiring` names it.",
            ),
        ):
            core.alarms.watch(
                self, name, meaning=meaning, metric=own(environment, "Receiver", measured)
            )
        core.alarms.watch_events(
            self,
            "receiver-tasks-failed",
            "Receiver",
            "TaskFailures",
            meaning="A task of a receiver failed by an error of the program. Its connection was closed,"
            " or the task began again.",
        )
        for name, measured, milliseconds, meaning in (
            (
                "acknowledgements-slow",
                "AckLatency",
                ACKNOWLEDGED_WITHIN_MS,
                "Senders wait long for their answers; one that waits too long sends again.",
            ),
            (
                "storing-slow",
                "StoreLatency",
                STORED_WITHIN_MS,
                "Vault and queue take long to store a message, so acknowledgements come late.",
            ),
        ):
            core.alarms.watch(
                self,
                name,
                meaning=meaning,
                metric=own(environment, "Receiver", measured, statistic="p99"),
                threshold=milliseconds,
                periods=3,
            )


def _given(name: str, value: str) -> dict[str, str]:
    """Returns the variable, or nothing for an empty value."""
    return {name: value} if value else {}


def _rejected(environment: Environment, reasons: Sequence[str]) -> dict[str, cloudwatch.Metric]:
    """The receiver's counts of messages rejected for these reasons."""
    return {one: own(environment, "Receiver", "Rejected", reason=one) for one in reasons}
