"""Saved Logs Insights queries: the logs of one event, failures, rejections. queries.toml holds them."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

from aws_cdk import aws_logs as logs
from constructs import Construct

from environments import Environment


def save_queries(
    scope: Construct, environment: Environment, logs_of: str, groups: Sequence[logs.ILogGroup]
) -> None:
    """Adds the queries over the logs of `steps`, `workflow` or `receiver`, each as `<prefix>/<title>`."""
    queries = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    for name, query in queries.items():
        if query["logs"] != logs_of:
            continue
        stats = query.get("stats")
        order = "desc" if query.get("newest_first") else "asc"
        logs.QueryDefinition(
            scope,
            name,
            query_definition_name=f"{environment.prefix}/{query['title']}",
            log_groups=list(groups),
            query_string=logs.QueryString(
                fields=query["fields"],
                filter_statements=[query["condition"]],
                sort=None if stats else f"@timestamp {order}",
                stats_statements=[stats] if stats else None,
                limit=1000,
            ),
        )
