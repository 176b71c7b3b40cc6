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
    expression: str, parts: Mapping[str, cloudwatch.IMetric], *, label: str
) -> cloudwatch.MathExpression:
    """Returns a metric math expression over five minutes; `parts` are its variables."""
    return cloudwatch.MathExpression(
        expression=expression,
        label=label,
        using_metrics=dict(parts),
        period=cdk.Duration.minutes(5),
    )
