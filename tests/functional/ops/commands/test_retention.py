"""`ens retention check`: the stores keep their data for as long as the environment's file says."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import Result

from environments import load
from lambdas.common.aws.items import to_item
from tests.support.retention import fill_retention

Ens = Callable[..., Result]
DAYS = load("dev").retention


@pytest.fixture(autouse=True)
def rules(aws: Any, deployment: object) -> None:
    fill_retention(aws, "dev")


def old(days: int) -> str:
    """The day that many days ago."""
    return (datetime.now(UTC) - timedelta(days=days)).date().isoformat()


def checked(ens: Ens) -> dict[str, dict[str, Any]]:
    result = ens("retention", "check", "--json")
    assert result.exit_code in (0, 1), result.output
    return {one["store"]: one for one in json.loads(result.stdout)}


def test_stores_that_follow_the_file_are_as_set(ens: Ens) -> None:
    result = ens("retention", "check")
    assert result.exit_code == 0, result.output
    assert "8 stores checked, 0 not as set." in result.output


def test_items_that_should_be_gone_are_counted_by_store(ens: Ens, aws: Any) -> None:
    dynamodb = aws.client("dynamodb")
    day = old(DAYS.audit_days + 10)
    entry = {"event_id": "e1", "sk": "00000001", "day": day, "outcome_time": f"ok#{day}"}
    dynamodb.put_item(TableName="audit", Item=to_item(entry))
    day = old(DAYS.status_days + 10)
    status = {"event_id": "e1", "day": day, "received_at": day}
    dynamodb.put_item(TableName="status", Item=to_item(status))
    moment = f"{old(DAYS.ledger_days + 1000)}T10:00:00.000Z"
    for delivery_id in ("d1", "d2"):
        item = {"delivery_id": delivery_id, "state": "sent", "updated_at": moment}
        dynamodb.put_item(TableName="ledger", Item=to_item(item))
    found = checked(ens)
    assert {store: found[store]["older"] for store in ("audit", "status", "ledger")} == {
        "audit": 1,
        "status": 1,
        "ledger": 2,
    }
    assert ens("retention", "check").exit_code == 1


def test_entries_of_the_state_machine_have_no_end_and_are_not_counted(ens: Ens, aws: Any) -> None:
    day = old(DAYS.audit_days + 10)
    entry = {"event_id": "e1", "sk": "workflow#x#CompleteEvent", "day": day, "actor": "workflow"}
    aws.client("dynamodb").put_item(
        TableName="audit", Item=to_item({**entry, "outcome_time": f"completed#{day}"})
    )
    assert checked(ens)["audit"]["older"] == 0


def test_an_item_that_expired_yesterday_may_still_be_there(ens: Ens, aws: Any) -> None:
    day = old(DAYS.status_days + 1)
    status = {"event_id": "e1", "day": day, "received_at": day}
    aws.client("dynamodb").put_item(TableName="status", Item=to_item(status))
    assert checked(ens)["status"]["older"] == 0


def test_a_rule_that_was_changed_by_hand_is_named(ens: Ens, aws: Any) -> None:
    aws.client("dynamodb").update_time_to_live(
        TableName="ledger",
        TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires_at"},
    )
    aws.client("logs").put_retention_policy(
        logGroupName="/aws/lambda/hl7-ens-dev-ParseMessage", retentionInDays=400
    )
    rule = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 999}}
    aws.client("s3").put_bucket_lifecycle_configuration(
        Bucket="vault", LifecycleConfiguration={"Rules": [rule]}
    )
    found = checked(ens)
    assert "time to live is disabled" in found["ledger"]["fault"]
    assert found["logs"]["fault"] == "other retention: /aws/lambda/hl7-ens-dev-ParseMessage"
    assert found["vault"]["fault"] == "lifecycle rule: 999, not 23 days: deploy the core stack"
    assert found["vault: rejected"]["fault"].startswith("lifecycle rule: none")
    result = ens("retention", "check")
    assert (result.exit_code, "5 not as set" in result.output) == (1, True)


def test_a_vault_without_any_rule_is_named(ens: Ens, aws: Any) -> None:
    """S3 answers NoSuchLifecycleConfiguration: nothing in it ever ends."""
    aws.client("s3").delete_bucket_lifecycle(Bucket="vault")
    found = checked(ens)
    for store in ("vault", "vault: rejected", "vault: analyses"):
        assert found[store]["fault"].startswith("lifecycle rule: none")
