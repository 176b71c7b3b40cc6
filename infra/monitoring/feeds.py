"""Feeds: who sends what a message lacks, by Contributor Insights.

docs/adr/0209-signals-of-a-feed.md says why no metric and no alarm exists for each sender.
"""

import json
from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.monitoring.watched import Watched

TOP = 10
"""Contributors that a widget shows."""


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
