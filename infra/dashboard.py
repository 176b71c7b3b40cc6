"""The dashboard: is anything late, is anything lost, is anything slow."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.alarms import Alarms, metric, own
from infra.pipe import Pipe
from infra.queues import Queues
from infra.settings import Environment
from infra.steps import Steps
from infra.workflow import Workflow


class Dashboard(Construct):
    """One page per environment: alarms, the way of messages, the steps, the deliveries."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        alarms: Alarms,
        queues: Queues,
        pipe: Pipe,
        workflow: Workflow,
        steps: Steps,
    ) -> None:
        super().__init__(scope, construct_id)
        machine = {"StateMachineArn": workflow.state_machine.state_machine_arn}
        events = {"QueueName": queues.events.queue_name}
        dead = {"QueueName": queues.dead_letters.queue_name}
        receiver = [
            own(environment, "Receiver", "Received"),
            own(environment, "Receiver", "Acknowledged", code="AA"),
            own(environment, "Receiver", "Refused", reason="store_unavailable"),
        ]
        mails = {"ses:configuration-set": environment.prefix}
        cloudwatch.Dashboard(
            self,
            "Resource",
            dashboard_name=environment.prefix,
            default_interval=cdk.Duration.hours(12),
            widgets=[
                [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms.all, width=24)],
                [
                    _graph("Messages received", receiver),
                    _graph(
                        "Waiting",
                        [
                            _peak("AWS/SQS", "ApproximateNumberOfMessagesVisible", events),
                            _peak("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", events),
                            metric("AWS/EventBridge/Pipes", "EventCount", {"PipeName": pipe.name}),
                        ],
                    ),
                    _graph(
                        "Age of the oldest message (s)",
                        [_peak("AWS/SQS", "ApproximateAgeOfOldestMessage", events)],
                    ),
                    _graph(
                        "Dead letters",
                        [_peak("AWS/SQS", "ApproximateNumberOfMessagesVisible", dead)],
                    ),
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
                        [
                            metric("AWS/SES", name, mails)
                            for name in ("Send", "Delivery", "Bounce", "Complaint", "Reject")
                        ],
                    ),
                    _graph(
                        "Deliveries to look at",
                        [
                            own(environment, "DeliverNotification", "UnknownDelivery"),
                            own(environment, "RecordFeedback", "NotificationNotDelivered"),
                        ],
                    ),
                    _graph(
                        "Patients and recipients",
                        [
                            own(environment, "LookupIdentities", "UnknownPatients"),
                            own(environment, "LookupIdentities", "Recipients"),
                        ],
                    ),
                    _graph(
                        "Comprehend Medical units (100 characters)",
                        [own(environment, "ExtractEntities", "ComprehendMedicalUnits")],
                    ),
                ],
            ],
        )


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=6, height=6)


def _peak(namespace: str, name: str, dimensions: dict[str, str]) -> cloudwatch.Metric:
    return metric(namespace, name, dimensions, statistic="Maximum")
