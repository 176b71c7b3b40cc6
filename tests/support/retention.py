"""The rules of an environment's stores in moto, as its core stack makes them."""

from typing import Any

from environments import load
from tests.support.stores import VAULT

TABLES = ("audit", "status", "ledger", "encounters")


def fill_retention(aws: Any, environment: str) -> None:
    """Sets the vault's lifecycle rules and the tables' time to live, and makes a log group."""
    loaded = load(environment)
    days = {
        "": loaded.vault_expiration_days,
        "rejected/": loaded.rejected_expiration_days,
        "analyses/": loaded.retention.analyses_days - 1,
    }
    rules = [
        {
            "ID": f"rule{number}",
            "Status": "Enabled",
            "Filter": {"Prefix": prefix},
            "Expiration": {"Days": expiration},
        }
        for number, (prefix, expiration) in enumerate(days.items())
    ]
    aws.client("s3").put_bucket_lifecycle_configuration(
        Bucket=VAULT, LifecycleConfiguration={"Rules": rules}
    )
    dynamodb = aws.client("dynamodb")
    for table in TABLES:
        dynamodb.update_time_to_live(
            TableName=table,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"},
        )
    logs, name = aws.client("logs"), f"/aws/lambda/{loaded.prefix}-ParseMessage"
    if not logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]:
        logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName=name, retentionInDays=loaded.retention.logs_days)
