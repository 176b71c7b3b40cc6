"""CloudWatch metrics of the application, its queues and their combinations."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

from environments import Environment


def metric(
    namespace: str,
    name: str,
    dimensions: dict[str, str],
    *,
    statistic: str = "Sum",
    minutes: int = 5,
) -> cloudwatch.Metric:
    """Returns a CloudWatch metric over periods of `minutes`."""
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
    minutes: int = 5,
    **dimensions: str,
) -> cloudwatch.Metric:
    """Returns a metric of a step or the receiver, by service, environment and further dimensions."""
    by = {"environment": environment.name, "service": service, **dimensions}
    return metric("hl7-ens", name, by, statistic=statistic, minutes=minutes)


def visible(queue: sqs.IQueue) -> cloudwatch.Metric:
    """Returns the number of visible messages of a queue."""
    return of_queue(queue, "ApproximateNumberOfMessagesVisible")


def of_queue(queue: sqs.IQueue, name: str) -> cloudwatch.Metric:
    """Returns the maximum of a queue's metric."""
    return metric("AWS/SQS", name, {"QueueName": queue.queue_name}, statistic="Maximum")


def calculated(
    expression: str, parts: Mapping[str, cloudwatch.IMetric], *, label: str, minutes: int = 5
) -> cloudwatch.MathExpression:
    """Returns a metric math expression over periods of `minutes`; `parts` are its variables."""
    return cloudwatch.MathExpression(
        expression=expression,
        label=label,
        using_metrics=dict(parts),
        period=cdk.Duration.minutes(minutes),
    )


def summed(
    parts: Mapping[str, cloudwatch.IMetric], *, label: str, minutes: int = 5
) -> cloudwatch.MathExpression:
    """Returns the sum of the parts over periods of `minutes`; one without data counts as 0."""
    total = " + ".join(f"FILL({name}, 0)" for name in parts)
    return calculated(total, parts, label=label, minutes=minutes)


def filled(metric: cloudwatch.Metric, value: float) -> cloudwatch.MathExpression:
    """Returns the metric with `value` in each period without data.

    CloudWatch looks back further than the alarm's periods, and fills in missing ones only when it finds
    fewer data points than the alarm has periods: an alarm on two days without data went off after four
    or five (CloudWatch user guide, "How alarm state is evaluated when data is missing").
    """
    return cloudwatch.MathExpression(
        expression=f"FILL(counted, {value:g})",
        using_metrics={"counted": metric},
        period=metric.period,
    )
