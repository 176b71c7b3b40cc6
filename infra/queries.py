"""Saved Logs Insights queries: one event's way through receiver, steps and workflow."""

from collections.abc import Sequence

from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.settings import Environment

EVENT_ID = "put-the-event-id-here"


class Queries(Construct):
    """Queries in the folder `<prefix>` of CloudWatch Logs Insights."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        steps: Sequence[logs.ILogGroup],
        workflow: logs.ILogGroup,
    ) -> None:
        super().__init__(scope, construct_id)
        self._prefix = environment.prefix
        self._query(
            "OneEvent",
            "one event's way through the steps",
            steps,
            fields=["@timestamp", "service", "level", "message", "error_name", "duration_ms"],
            filters=[f'event_id = "{EVENT_ID}"'],
            sort="@timestamp asc",
        )
        self._query(
            "OneExecution",
            "one event's way through the workflow's states",
            [workflow],
            fields=["@timestamp", "type", "details.name", "details.error", "execution_arn"],
            filters=[f"@message like /{EVENT_ID}/"],
            sort="@timestamp asc",
        )
        self._query(
            "Failures",
            "steps that failed, newest first",
            steps,
            fields=["@timestamp", "service", "event_id", "error_name", "message", "attempt"],
            filters=["ispresent(error_name)"],
            sort="@timestamp desc",
        )
        self._query(
            "Slowest",
            "how long each step takes",
            steps,
            fields=["service", "duration_ms"],
            filters=["ispresent(duration_ms)"],
            stats="count() as runs, pct(duration_ms, 50) as p50, pct(duration_ms, 95) as p95,"
            " max(duration_ms) as slowest by service",
        )

    def _query(
        self,
        construct_id: str,
        title: str,
        groups: Sequence[logs.ILogGroup],
        *,
        fields: list[str],
        filters: list[str],
        sort: str | None = None,
        stats: str | None = None,
    ) -> None:
        logs.QueryDefinition(
            self,
            construct_id,
            query_definition_name=f"{self._prefix}/{title}",
            log_groups=list(groups),
            query_string=logs.QueryString(
                fields=fields,
                filter_statements=filters,
                sort=sort,
                stats_statements=[stats] if stats else None,
                limit=1000,
            ),
        )
