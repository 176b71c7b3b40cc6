"""Schedules: rules that call functions at intervals."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from environments import Environment
from infra.core.processing.functions import Steps

DAILY_RETRIES = 20
"""Retries of a failed daily call. More frequent calls have none: the next one follows within an hour."""


def call_regularly(scope: Construct, steps: Steps, environment: Environment) -> None:
    """Adds a rule `<prefix>-<name>` for each function that has work without a message."""
    for name, function, every, why in (
        (
            "Releases",
            steps.release_deliveries,
            cdk.Duration.minutes(1),
            "Held deliveries that are due: summaries, quiet hours, rate, fallbacks",
        ),
        (
            "Rosters",
            steps.lookup_identities,
            cdk.Duration.days(1),
            "Rosters that end soon, for an alarm to the operators",
        ),
        (
            "Closings",
            steps.track_encounter,
            cdk.Duration.minutes(5),
            "Stays whose end never came, to be closed",
        ),
        (
            "Digests",
            steps.digest_audit,
            cdk.Duration.hours(1),
            "Digests of the audit trail for days that have ended",
        ),
        (
            "Verifications",
            steps.verify_audit,
            cdk.Duration.days(1),
            "Verifies the audit trail of the newest day with a digest",
        ),
    ):
        retries = DAILY_RETRIES if every.to_hours(integral=False) >= 24 else 0
        events.Rule(
            scope,
            name,
            rule_name=f"{environment.prefix}-{name.lower()}",
            description=why,
            schedule=events.Schedule.rate(every),
            targets=[targets.LambdaFunction(function, retry_attempts=retries)],
        )
