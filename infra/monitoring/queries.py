"""Saved Logs Insights queries: the logs of one event, and failures."""

from collections.abc import Sequence

from aws_cdk import aws_logs as logs
from constructs import Construct

from environments import Environment

EVENT_ID = "put-the-event-id-here"
EXECUTION_ARN = "put-the-execution-arn-here"


class SavedQuery(logs.QueryDefinition):
    """A query that the console shows as `<prefix>/<title>`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        title: str,
        groups: Sequence[logs.ILogGroup],
        fields: Sequence[str],
        condition: str,
        newest_first: bool = False,
        stats: str = "",
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            query_definition_name=f"{environment.prefix}/{title}",
            log_groups=list(groups),
            query_string=logs.QueryString(
                fields=list(fields),
                filter_statements=[condition],
                sort=f"@timestamp {'desc' if newest_first else 'asc'}" if not stats else None,
                stats_statements=[stats] if stats else None,
                limit=1000,
            ),
        )


class Queries(Construct):
    """The queries over the logs of steps and workflow."""

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
        SavedQuery(
            self,
            "OneEvent",
            environment=environment,
            title="one event's way through the steps",
            groups=steps,
            fields=[
                "@timestamp",
                "event_id",
                "service",
                "level",
                "message",
                "error_name",
                "duration_ms",
            ],
            condition=f'event_id = "{EVENT_ID}" or execution_arn = "{EXECUTION_ARN}"',
        )
        SavedQuery(
            self,
            "OneExecution",
            environment=environment,
            title="one execution's way through the workflow's states",
            groups=[workflow],
            fields=["@timestamp", "type", "details.name", "details.error", "execution_arn"],
            condition=f'execution_arn = "{EXECUTION_ARN}"',
        )
        SavedQuery(
            self,
            "DeadLettered",
            environment=environment,
            title="executions that ended as dead letters, newest first",
            groups=[workflow],
            fields=["@timestamp", "execution_arn"],
            condition='type = "SucceedStateEntered" and details.name = "DeadLettered"',
            newest_first=True,
        )
        SavedQuery(
            self,
            "Failures",
            environment=environment,
            title="steps that failed, newest first",
            groups=steps,
            fields=["@timestamp", "service", "event_id", "error_name", "message", "attempt"],
            condition="ispresent(error_name)",
            newest_first=True,
        )
        SavedQuery(
            self,
            "Feeds",
            environment=environment,
            title="senders whose warnings or unknown patients rose, newest first",
            groups=steps,
            fields=[
                *("@timestamp", "sender", "message"),
                *("share_percent", "usual_percent", "messages", "event_id"),
            ],
            condition="message like /than usual/",
            newest_first=True,
        )
        SavedQuery(
            self,
            "Durations",
            environment=environment,
            title="how long each step takes",
            groups=steps,
            fields=["service", "duration_ms"],
            condition="ispresent(duration_ms)",
            stats="count() as runs, pct(duration_ms, 50) as p50, pct(duration_ms, 95) as p95,"
            " max(duration_ms) as slowest by service",
        )
