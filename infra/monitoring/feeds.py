"""Feeds: alarms on what a sender's messages lack, and who sends it, by Contributor Insights.

docs/adr/0209-signals-of-a-feed.md says why no metric and no alarm exists for each sender.
"""

import json
from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.monitoring.alarm_topic import Alarms
from infra.monitoring.watched import Watched

TOP = 10
"""Contributors that a widget shows."""


class FeedAlarms(Construct):
    """Adds the alarms of feeds. The log line of the step names the sender."""

    def __init__(self, scope: Construct, construct_id: str, *, alarms: Alarms) -> None:
        super().__init__(scope, construct_id)
        for name, meaning, step, metric in (
            (
                "authority-not-usable",
                "Identifiers of a message have an assigning authority that the sender may not assert or"
                " that nobody mapped. Such messages are dead letters.",
                "LookupIdentities",
                "AuthorityNotUsable",
            ),
            (
                "warnings-rising",
                "Far more messages of a sender have warnings than usual: its interface changed.",
                "ParseMessage",
                "WarningsRose",
            ),
            (
                "unknown-patients-rising",
                "Far fewer patients of a sender are known than usual, or none of a thousand: nobody is"
                " told about the others.",
                "LookupIdentities",
                "UnknownPatientsRose",
            ),
        ):
            alarms.watch_events(self, name, step, metric, meaning=meaning)


class SenderRules(Construct):
    """The Contributor Insights rules: warnings by sender and kind, unknown patients by sender."""

    def __init__(self, scope: Construct, construct_id: str, *, watched: Watched) -> None:
        super().__init__(scope, construct_id)
        steps, prefix = watched.steps, watched.environment.prefix
        self.warnings = f"{prefix}-warnings"
        self.unknown_patients = f"{prefix}-unknown-patients"
        _rule(
            self,
            "Warnings",
            name=self.warnings,
            groups=[steps.parse_message.log_group, steps.lookup_identities.log_group],
            keys=["$.sender", "$.warning_code"],
            where={"Match": "$.warning_code", "IsPresent": True},
        )
        _rule(
            self,
            "UnknownPatients",
            name=self.unknown_patients,
            groups=[steps.lookup_identities.log_group],
            keys=["$.sender"],
            where={"Match": "$.error_name", "In": ["IdentityNotFoundError"]},
        )


class ContributorsWidget(cloudwatch.ConcreteWidget):
    """A dashboard's graph of the first contributors of a rule; the CDK has no such widget.

    CloudWatch API reference, "Dashboard body structure and syntax": `insightRule`.
    """

    def __init__(self, title: str, rule_name: str, region: str) -> None:
        super().__init__(6, 6)
        self._place: dict[str, float] = {}
        self._properties = {
            "title": title,
            "region": region,
            "view": "timeSeries",
            "period": 300,
            "insightRule": {"maxContributorCount": TOP, "orderBy": "Sum", "ruleName": rule_name},
        }

    def position(self, x: float, y: float) -> None:
        """Keeps the place that the row gives the widget."""
        self._place = {"x": x, "y": y}

    def to_json(self) -> list[Any]:
        """Returns the widget for the dashboard's body."""
        size = {"width": self.width, "height": self.height}
        return [{"type": "metric", **size, **self._place, "properties": self._properties}]


def _rule(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    groups: Sequence[logs.ILogGroup],
    keys: Sequence[str],
    where: dict[str, object],
) -> None:
    """A rule that counts the log events that `where` matches, by the values of `keys`.

    CloudWatch user guide, "Contributor Insights rule syntax".
    """
    body = {
        "Schema": {"Name": "CloudWatchLogRule", "Version": 1},
        "LogGroupNames": [group.log_group_name for group in groups],
        "LogFormat": "JSON",
        "Contribution": {"Keys": list(keys), "Filters": [where]},
        "AggregateOn": "Count",
    }
    cloudwatch.CfnInsightRule(
        scope, construct_id, rule_name=name, rule_state="ENABLED", rule_body=json.dumps(body)
    )
