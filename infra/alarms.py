"""Alarms, and the topic by which they reach a person. Each names its page of the runbook."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from environments import Environment

RUNBOOK = "docs/runbook.md"

Comparison = cloudwatch.ComparisonOperator
Missing = cloudwatch.TreatMissingData


class Alarms(Construct):
    """The environment's alarm topic under its own key, and every alarm that `watch` has made."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, key: kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        self._prefix = environment.prefix
        self.topic = sns.Topic(
            self,
            "Topic",
            topic_name=f"{environment.prefix}-alarms",
            master_key=key,
            enforce_ssl=True,
        )
        for address in environment.alarm_addresses:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))
        further = [
            sns.Topic.from_topic_arn(self, f"Further{number}", arn)
            for number, arn in enumerate(environment.alarm_topics)
        ]
        self._actions = [actions.SnsAction(topic) for topic in (self.topic, *further)]
        self.all: list[cloudwatch.Alarm] = []

    def watch(
        self,
        scope: Construct,
        name: str,
        *,
        meaning: str,
        metric: cloudwatch.IMetric,
        threshold: float = 1,
        comparison: Comparison = Comparison.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        periods: int = 1,
        of_periods: int | None = None,
        missing: Missing = Missing.NOT_BREACHING,
    ) -> cloudwatch.Alarm:
        """Makes the alarm `<prefix>-<name>` in `scope`; the runbook has a heading of that name.

        It goes off when `periods` of the last `of_periods` (as many, if not said) are beyond the
        threshold.
        """
        alarm = cloudwatch.Alarm(
            scope,
            "".join(word.capitalize() for word in name.split("-")),
            alarm_name=f"{self._prefix}-{name}",
            alarm_description=f"{meaning} What to do: {RUNBOOK}#{name}",
            metric=metric,
            threshold=threshold,
            comparison_operator=comparison,
            datapoints_to_alarm=periods,
            evaluation_periods=of_periods or periods,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(*self._actions)
        self.all.append(alarm)
        return alarm


def metric(
    namespace: str,
    name: str,
    dimensions: dict[str, str],
    *,
    statistic: str = "Sum",
    minutes: int = 5,
) -> cloudwatch.Metric:
    """A CloudWatch metric over periods of `minutes`."""
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=cdk.Duration.minutes(minutes),
    )


def own(
    environment: Environment,
    service: str,
    name: str,
    *,
    statistic: str = "Sum",
    **dimensions: str,
) -> cloudwatch.Metric:
    """What a step or the receiver counts: by service, environment, and what else it says."""
    by = {"environment": environment.name, "service": service, **dimensions}
    return metric("hl7-ens", name, by, statistic=statistic)


def visible(queue: sqs.IQueue) -> cloudwatch.Metric:
    """How many messages wait in a queue."""
    return of_queue(queue, "ApproximateNumberOfMessagesVisible")


def of_queue(queue: sqs.IQueue, name: str) -> cloudwatch.Metric:
    """A metric of a queue, at its highest."""
    return metric("AWS/SQS", name, {"QueueName": queue.queue_name}, statistic="Maximum")


def calculated(
    expression: str, parts: Mapping[str, cloudwatch.IMetric], *, label: str
) -> cloudwatch.MathExpression:
    """A metric calculated over five minutes from others, which the expression calls by these names."""
    return cloudwatch.MathExpression(
        expression=expression,
        label=label,
        using_metrics=dict(parts),
        period=cdk.Duration.minutes(5),
    )
