"""The clock of held deliveries: once a minute ReleaseDeliveries looks what is due."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.settings import Environment


def release_every_minute(
    scope: Construct, environment: Environment, function: lambda_.IFunction
) -> events.Rule:
    """The rule that calls the function. A call that fails is not repeated: the next minute's is."""
    return events.Rule(
        scope,
        "Releases",
        rule_name=f"{environment.prefix}-releases",
        description="Held deliveries that are due: summaries, quiet hours, rate, fallbacks",
        schedule=events.Schedule.rate(cdk.Duration.minutes(1)),
        targets=[targets.LambdaFunction(function, retry_attempts=0)],
    )
