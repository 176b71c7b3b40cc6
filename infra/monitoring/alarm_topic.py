"""Alarms and their SNS topic. Each alarm's description names its section of the runbook."""

import tomllib
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from environments import Environment
from infra.core.stores.keys import alarm_topic_name
from infra.monitoring.metrics import filled, own
from infra.stateful import fix_logical_id

RUNBOOK = "docs/runbook.md"
ENDS_SILENTLY = "It counts single events, so no mail tells its end."

TERMS: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("alarms.toml").read_text("utf-8")
)
"""Every alarm by name, with the members that alarms.toml describes."""

Comparison = cloudwatch.ComparisonOperator
Missing = cloudwatch.TreatMissingData


class Alarms(Construct):
    """The environment's alarm topic under its own key, and every alarm that `watch` has made."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, key: kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self._prefix = environment.prefix
        self.topic = sns.Topic(
            self,
            "Topic",
            topic_name=alarm_topic_name(environment),
            master_key=key,
            enforce_ssl=True,
        )
        fix_logical_id(self.topic, "TopicAlarms")
        self._let_cloudwatch_publish(environment)
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
        metric: cloudwatch.IMetric | None = None,
        *,
        threshold: float | None = None,
    ) -> None:
        """Adds the alarm `<prefix>-<name>` of alarms.toml to `scope`. docs/runbook.md has a heading of that name.

        Without `metric` it is on the count that the file names. `threshold` is one that depends on the
        environment.
        """
        terms = TERMS[name]
        if metric is None:
            metric = own(
                self._environment,
                terms["service"],
                terms["counted"],
                statistic=terms.get("statistic", "Sum"),
                minutes=terms.get("minutes", 5),
            )
        threshold = threshold or terms.get("threshold", 1)
        below, periods = terms.get("below", False), terms.get("periods", 1)
        breaching = terms.get("silence") == "breaching"
        if breaching and isinstance(metric, cloudwatch.Metric):
            metric = filled(metric, 0 if below else threshold)
        tells_end = terms.get("tells_end", True)
        end = "" if tells_end else f" {ENDS_SILENTLY}"
        alarm = cloudwatch.Alarm(
            scope,
            "".join(word.capitalize() for word in name.split("-")),
            alarm_name=f"{self._prefix}-{name}",
            alarm_description=f"{terms['meaning']}{end} What to do: {RUNBOOK}#{name}",
            metric=metric,
            threshold=threshold,
            comparison_operator=Comparison.LESS_THAN_THRESHOLD
            if below
            else Comparison.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            datapoints_to_alarm=periods,
            evaluation_periods=terms.get("of_periods", periods),
            treat_missing_data=Missing.BREACHING if breaching else Missing.NOT_BREACHING,
        )
        alarm.add_alarm_action(*self._actions)
        if tells_end:
            alarm.add_ok_action(*self._actions)
        self.all.append(alarm)

    def watch_counts(self, scope: Construct, *names: str) -> None:
        """Adds alarms on counts that alarms.toml names."""
        for name in names:
            self.watch(scope, name)

    def _let_cloudwatch_publish(self, environment: Environment) -> None:
        """Lets this environment's alarms publish to the topic.

        `enforce_ssl` gives the topic a policy, and any policy replaces the one of SNS that lets the
        account's services publish (re:Post, "How do I receive SNS notifications for alarms").
        """
        stack = cdk.Stack.of(self)
        alarms = stack.format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=f"{environment.prefix}-*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisEnvironment",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": alarms},
                },
            )
        )
