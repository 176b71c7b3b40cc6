"""The dashboard: alarms, delays, losses and durations."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from environments import Environment
from infra.core.processing.mail import MAIL_DIMENSION, MAIL_EVENTS
from infra.monitoring.alarm_topic import Alarms
from infra.monitoring.feeds import ContributorsWidget, SenderRules
from infra.monitoring.metrics import metric, of_queue, own, visible
from infra.monitoring.watched import Watched

RECEIVER_ALARMS = (
    *("receivers-missing", "receiver-cannot-store", "messages-rejected", "messages-not-allowed"),
    *("acknowledgements-slow", "storing-slow", "configuration-not-used"),
    *("certificate-not-used", "certificates-expiring", "receiver-tasks-failed"),
)
"""The ingress stack's alarms, by name, because that stack imports from the core."""


class Dashboard(Construct):
    """One dashboard per environment: alarms, messages, steps, deliveries."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        watched: Watched,
        alarms: Alarms,
        rules: SenderRules,
    ) -> None:
        super().__init__(scope, construct_id)
        environment, steps, queues = watched.environment, watched.steps, watched.queues
        machine = {"StateMachineArn": watched.workflow.state_machine.state_machine_arn}
        pipe = {"PipeName": watched.pipe.name}
        mails = {MAIL_DIMENSION: environment.name}
        receiver = [
            own(environment, "Receiver", "Received"),
            own(environment, "Receiver", "Acknowledged", code="AA"),
            own(environment, "Receiver", "Rejected", reason="store_unavailable"),
        ]

        def most(*names: str) -> list[cloudwatch.Metric]:
            """The largest of the counts that ReleaseDeliveries made."""
            return [own(environment, "ReleaseDeliveries", n, statistic="Maximum") for n in names]

        cloudwatch.Dashboard(
            self,
            "Resource",
            dashboard_name=environment.prefix,
            default_interval=cdk.Duration.hours(12),
            widgets=[
                [
                    cloudwatch.AlarmStatusWidget(
                        title="Alarms",
                        alarms=[*alarms.all, *self._receiver_alarms(environment)],
                        width=24,
                    )
                ],
                [
                    _graph("Messages received", receiver),
                    _graph(
                        "Waiting",
                        [
                            visible(queues.events),
                            of_queue(queues.events, "ApproximateNumberOfMessagesNotVisible"),
                            metric("AWS/EventBridge/Pipes", "EventCount", pipe),
                        ],
                    ),
                    _graph(
                        "Age of the oldest message (s)",
                        [of_queue(queues.events, "ApproximateAgeOfOldestMessage")],
                    ),
                    _graph("Dead letters", [visible(queues.dead_letters)]),
                ],
                [
                    _graph("Time to acknowledge (ms)", _latencies(environment, "AckLatency")),
                    _graph("Time to store (ms)", _latencies(environment, "StoreLatency")),
                ],
                [
                    _graph(
                        "Executions",
                        [
                            metric("AWS/States", f"Executions{ending}", machine)
                            for ending in ("Succeeded", "Failed", "TimedOut")
                        ],
                    ),
                    _graph(
                        "From queue to notification (ms)",
                        [
                            metric("AWS/States", "ExecutionTime", machine, statistic=statistic)
                            for statistic in ("p50", "p95", "p99")
                        ],
                    ),
                    _graph(
                        "Steps (ms, p95)",
                        [
                            function.metric_duration(statistic="p95", label=function.node.id)
                            for function in steps.all
                        ],
                    ),
                    _graph(
                        "Errors of steps",
                        [function.metric_errors(label=function.node.id) for function in steps.all],
                    ),
                ],
                [
                    _graph(
                        "Mails",
                        [metric("AWS/SES", name, mails) for name in MAIL_EVENTS.values()],
                    ),
                    _graph("Held deliveries", most("HeldDeliveries", "OverdueDeliveries")),
                    _graph("Oldest overdue delivery (s)", most("OldestOverdueSeconds")),
                    _graph("SES daily quota used (%)", most("MailQuotaUsedPercent")),
                    _graph(
                        "Deliveries to look at",
                        [
                            own(environment, "DeliverNotification", "UnknownDelivery"),
                            own(environment, "DeliverNotification", "ReducedDetail"),
                            own(environment, "RecordFeedback", "NotificationNotDelivered"),
                            own(environment, "DeliverNotification", "MailWithoutSeal"),
                        ],
                    ),
                ],
                [
                    _graph(
                        "Patients and recipients",
                        [
                            own(environment, "LookupIdentities", "PatientsLookedUp"),
                            own(environment, "LookupIdentities", "UnknownPatients"),
                            own(environment, "LookupIdentities", "Recipients"),
                        ],
                    ),
                    _graph(
                        "Stays to look at",
                        [
                            own(environment, "TrackEncounter", "Decision_no_encounter"),
                            own(environment, "TrackEncounter", "Decision_stale_event"),
                            own(environment, "TrackEncounter", "StaysClosed"),
                        ],
                    ),
                    _graph(
                        "Comprehend Medical units (100 characters)",
                        [own(environment, "ExtractEntities", "ComprehendMedicalUnits")],
                    ),
                ],
                [
                    _graph(
                        "Warnings of messages",
                        [
                            own(environment, "ParseMessage", "Warnings"),
                            own(environment, "ParseMessage", "MessagesWithWarnings"),
                        ],
                    ),
                    ContributorsWidget(
                        "Warnings by sender and kind", rules.warnings, environment.region
                    ),
                    ContributorsWidget(
                        "Unknown patients by sender", rules.unknown_patients, environment.region
                    ),
                    _graph(
                        "Feeds that depart from their usual shares",
                        [
                            own(environment, "ParseMessage", "WarningsRose"),
                            own(environment, "LookupIdentities", "UnknownPatientsRose"),
                            own(environment, "LookupIdentities", "AuthorityNotUsable"),
                        ],
                    ),
                ],
            ],
        )

    def _receiver_alarms(self, environment: Environment) -> list[cloudwatch.IAlarm]:
        """The alarms of the ingress stack, where the environment has one."""
        if environment.network is None:
            return []
        stack = cdk.Stack.of(self)
        return [
            cloudwatch.Alarm.from_alarm_arn(
                self,
                name,
                stack.format_arn(
                    service="cloudwatch",
                    resource="alarm",
                    resource_name=f"{environment.prefix}-{name}",
                    arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                ),
            )
            for name in RECEIVER_ALARMS
        ]


def _latencies(environment: Environment, name: str) -> list[cloudwatch.Metric]:
    return [
        own(environment, "Receiver", name, statistic=statistic)
        for statistic in ("p50", "p95", "p99")
    ]


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=6, height=6)
