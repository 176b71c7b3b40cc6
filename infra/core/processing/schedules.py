"""Schedules: rules that call functions at intervals."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from environments import Environment


def call_regularly(
    scope: Construct,
    name: str,
    *,
    environment: Environment,
    function: lambda_.IFunction,
    every: cdk.Duration,
    retries: int,
    why: str,
) -> events.Rule:
    """Adds the rule `<prefix>-<name>` that calls a function. A failed call is repeated `retries` times."""
    return events.Rule(
        scope,
        name,
        rule_name=f"{environment.prefix}-{name.lower()}",
        description=why,
        schedule=events.Schedule.rate(every),
        targets=[targets.LambdaFunction(function, retry_attempts=retries)],
    )
