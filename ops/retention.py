"""Compares each store's rule with the days of the environment's file, and counts what is older.

It reads rules, counts and dates, no item's content.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from environments import Environment
from lambdas.common.aws.clients import dependency
from lambdas.common.aws.item_reads import pages
from lambdas.common.aws.items import Item
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from ops.aws_calls import if_exists
from ops.deployment import CONFIG, Deployment

LATE_DAYS = 3
"""DynamoDB deletes an expired item within days (DynamoDB developer guide, "Using time to live")."""
DAYS_BACK = 30
"""Days before the end of a period whose items are looked for in an index by day."""
EXPIRES = "expires_at"
WORKFLOW = "workflow"
"""The actor of the two audit entries that the state machine writes; they have no end (docs/adr/0292)."""


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """One store: its setting, its days, the fault of its rule ("" for none), and the number of older items.

    `older` is None where the store has no index by time.
    """

    store: str
    setting: str
    days: int
    fault: str = ""
    older: int | None = None

    @property
    def holds(self) -> bool:
        """Whether the rule is as the file says, and nothing older was found."""
        return not self.fault and not self.older


def checks(deployment: Deployment, environment: Environment, today: date) -> Iterator[StoreCheck]:
    """Yields the check of every store that has a rule of its own."""
    days = environment.retention
    yield from _tables(deployment, environment, today)
    rejected_days = days.rejected_days or days.vault_days
    found = _lifecycle(deployment)
    for prefix, setting, period, expiration in (
        ("", "vault_days", days.vault_days, environment.vault_expiration_days),
        ("rejected/", "rejected_days", rejected_days, environment.rejected_expiration_days),
        ("analyses/", "analyses_days", days.analyses_days, max(1, days.analyses_days - 1)),
    ):
        store = f"vault: {prefix.strip('/')}" if prefix else "vault"
        yield StoreCheck(store, setting, period, _differs(found.get(prefix), expiration))
    yield _logs(deployment, environment)


def _tables(deployment: Deployment, environment: Environment, today: date) -> Iterator[StoreCheck]:
    days = environment.retention
    for store, output, period in (
        ("audit", "AuditTable", days.audit_days),
        ("encounters", "EncountersTable", days.encounters_days),
        ("ledger", "LedgerTable", days.ledger_days),
        ("status", "StatusTable", days.status_days),
    ):
        table = deployment.output(output)
        last = today - timedelta(days=period + LATE_DAYS)
        older = {"audit": _of_days, "status": _of_days, "ledger": _unchanged_since}.get(store)
        yield StoreCheck(
            store,
            f"{store}_days",
            period,
            _time_to_live(deployment, table),
            older(deployment, table, last) if older else None,
        )


def _time_to_live(deployment: Deployment, table: str) -> str:
    """The fault of a table's time to live; "" when it is on."""
    with dependency("dynamodb"):
        answer = deployment.context.client("dynamodb", CONFIG).describe_time_to_live(
            TableName=table
        )
    found = answer["TimeToLiveDescription"]
    if found["TimeToLiveStatus"] in ("ENABLED", "ENABLING") and found["AttributeName"] == EXPIRES:
        return ""
    status = found["TimeToLiveStatus"].lower()
    return (
        f"time to live is {status}: deploy the core stack, or after a restore see docs/restore.md"
    )


def _of_days(deployment: Deployment, table: str, last: date) -> int:
    """The items of the index `by_day` for the `DAYS_BACK` days up to `last`, but for those of the state machine."""
    days = ((last - timedelta(days=back)).isoformat() for back in range(DAYS_BACK))
    others = "attribute_not_exists(#actor) OR #actor <> :actor"
    return sum(
        _count(
            deployment,
            table,
            "#day = :day",
            {":day": day, ":actor": WORKFLOW},
            IndexName="by_day",
            FilterExpression=others,
        )
        for day in days
    )


def _unchanged_since(deployment: Deployment, table: str, last: date) -> int:
    """The deliveries whose newest change is before `last`."""
    condition = "#state = :state AND updated_at < :last"
    return sum(
        _count(
            deployment,
            table,
            condition,
            {":state": state, ":last": last.isoformat()},
            IndexName="by_state",
        )
        for state in DeliveryState
    )


def _count(deployment: Deployment, table: str, condition: str, values: Item, **more: Any) -> int:
    client = deployment.context.client("dynamodb", CONFIG)
    found = pages(client, table, condition, values, Select="COUNT", **more)
    return sum(page["Count"] for page in found)


def _lifecycle(deployment: Deployment) -> dict[str, int]:
    """The days of the vault's enabled expiration rules, by prefix."""
    ask = deployment.context.client("s3", CONFIG).get_bucket_lifecycle_configuration
    bucket = deployment.output("VaultBucket")
    answer = if_exists(ask, "NoSuchLifecycleConfiguration", Bucket=bucket) or {"Rules": []}
    return {
        rule.get("Filter", {}).get("Prefix", rule.get("Prefix", "")): rule["Expiration"]["Days"]
        for rule in answer["Rules"]
        if rule["Status"] == "Enabled" and "Days" in rule.get("Expiration", {})
    }


def _logs(deployment: Deployment, environment: Environment) -> StoreCheck:
    """The check of every log group whose name has the environment's prefix."""
    days = environment.retention.logs_days
    logs = deployment.context.client("logs", CONFIG)
    pages = logs.get_paginator("describe_log_groups").paginate()
    wrong = [
        group["logGroupName"]
        for page in pages
        for group in page["logGroups"]
        if f"/{environment.prefix}-" in group["logGroupName"]
        and group.get("retentionInDays") != days
    ]
    fault = f"other retention: {', '.join(sorted(wrong))}" if wrong else ""
    return StoreCheck("logs", "logs_days", days, fault)


def _differs(found: int | None, expected: int) -> str:
    if found == expected:
        return ""
    return f"lifecycle rule: {found or 'none'}, not {expected} days: deploy the core stack"
