"""Alarms and their SNS topic. Each alarm's description names its section of the runbook."""

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
        *,
        meaning: str,
        metric: cloudwatch.IMetric,
        threshold: float = 1,
        comparison: Comparison = Comparison.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        periods: int = 1,
        of_periods: int | None = None,
        missing: Missing = Missing.NOT_BREACHING,
        tells_end: bool = True,
    ) -> cloudwatch.Alarm:
        """Adds the alarm `<prefix>-<name>` to `scope`. docs/runbook.md has a heading of that name.

        It goes off when `periods` of the last `of_periods` (as many, if not said) are beyond the
        threshold. With `missing` BREACHING, a period without data is beyond it. A mail also tells its
        end, unless `tells_end` is False: the alarm then counts single events and is OK again after some
        quiet periods, whatever became of the cause.
        """
        if missing is Missing.BREACHING and isinstance(metric, cloudwatch.Metric):
            below = comparison is Comparison.LESS_THAN_THRESHOLD
            metric = filled(metric, 0 if below else threshold)
        end = "" if tells_end else f" {ENDS_SILENTLY}"
        alarm = cloudwatch.Alarm(
            scope,
            "".join(word.capitalize() for word in name.split("-")),
            alarm_name=f"{self._prefix}-{name}",
            alarm_description=f"{meaning}{end} What to do: {RUNBOOK}#{name}",
            metric=metric,
            threshold=threshold,
            comparison_operator=comparison,
            datapoints_to_alarm=periods,
            evaluation_periods=of_periods or periods,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(*self._actions)
        if tells_end:
            alarm.add_ok_action(*self._actions)
        self.all.append(alarm)
        return alarm

    def watch_events(
        self, scope: Construct, name: str, service: str, counted: str, *, meaning: str
    ) -> None:
        """Adds an alarm that goes off at each single event that a step or the receiver counts."""
        self.watch(
            scope,
            name,
            meaning=meaning,
            metric=own(self._environment, service, counted),
            tells_end=False,
        )

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
