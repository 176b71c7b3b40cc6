"""Every store of an environment keeps its data for the days that the environment's file says."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from environments import AuditSection, Environment, Retention, load
from environments.retention import SIX_YEARS
from tests.infra.assemblies import stacks_of
from tests.infra.template import Template
from tests.unit.environments.files import ENVIRONMENT, changed, refusal

DAYS = Retention(
    vault_days=1000,
    recovery_days=11,
    rejected_days=200,
    analyses_days=13,
    encounters_days=401,
    ledger_days=419,
    status_days=61,
    audit_days=3001,
    trail_days=2503,
    logs_days=90,
    feedback_days=7,
    configuration_days=103,
)
"""Values that appear nowhere else, so that a number of the template can come from here alone."""
ENVIRONMENT_OF_TEST = replace(
    load("prod"), retention=DAYS, audit=AuditSection(digest_lock="compliance", digest_days=3041)
)
BACKUP_DAYS = 35


@pytest.fixture(scope="module")
def core() -> Template:
    """The core stack of an environment with these days."""
    return stacks_of(ENVIRONMENT_OF_TEST)["core"]


def lifetimes(bucket: dict[str, Any]) -> dict[str, int]:
    """The days of a bucket's objects until their last version is gone, by prefix."""
    return {
        rule.get("Prefix", ""): rule.get("ExpirationInDays", 0)
        + rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
        for rule in bucket["LifecycleConfiguration"]["Rules"]
        if rule["Status"] == "Enabled"
    }


def test_every_bucket_deletes_its_objects_after_their_days(core: Template) -> None:
    found = {
        logical_id: lifetimes(bucket["Properties"])
        for logical_id, bucket in core.of_type("AWS::S3::Bucket").items()
    }
    days = {
        "BucketVault": {"": 1000 - BACKUP_DAYS, "rejected/": 200 - BACKUP_DAYS, "analyses/": 13},
        "BucketAccessLogs": {"": 1000},
        # CloudTrail overwrites nothing: a version that an expiration hides is removed a day later.
        "BucketTrail": {"": 2503 + 1},
        "BucketConfiguration": {"": 103},
        "BucketAuditDigests": {"": 3041 + 1},
    }
    assert {name: found[name] for name in days} == days
    assert all(rules for rules in found.values())


def test_backups_end_after_their_days(core: Template) -> None:
    (plan,) = core.of_type("AWS::Backup::BackupPlan").values()
    rules = plan["Properties"]["BackupPlan"]["BackupPlanRule"]
    assert {rule["Lifecycle"]["DeleteAfterDays"] for rule in rules} == {BACKUP_DAYS}


def test_dynamodb_deletes_expired_items_of_every_table_but_the_registry(core: Template) -> None:
    """The registry is master data: imports end and remove its entries (docs/identity.md)."""
    without = {
        logical_id
        for logical_id, table in core.of_type("AWS::DynamoDB::Table").items()
        if table["Properties"].get("TimeToLiveSpecification")
        != {"AttributeName": "expires_at", "Enabled": True}
    }
    assert without == {"TableRegistry"}


def test_every_function_knows_the_days_of_the_items_that_it_writes(core: Template) -> None:
    steps = [
        function["Properties"]["Environment"]["Variables"]
        for function in core.of_type("AWS::Lambda::Function").values()
        if "ENS_AUDIT_TABLE" in function["Properties"].get("Environment", {}).get("Variables", {})
    ]
    assert len(steps) >= 7
    for name, days in (("AUDIT", 3001), ("ENCOUNTERS", 401), ("LEDGER", 419), ("STATUS", 61)):
        assert {variables[f"ENS_{name}_DAYS"] for variables in steps} == {str(days)}


def test_every_log_group_ends_after_its_days(core: Template) -> None:
    groups = core.of_type("AWS::Logs::LogGroup").values()
    assert {group["Properties"]["RetentionInDays"] for group in groups} == {90}


def test_no_queue_keeps_a_message_for_more_than_two_weeks(core: Template) -> None:
    day = 24 * 3600
    kept = {
        logical_id: queue["Properties"]["MessageRetentionPeriod"] / day
        for logical_id, queue in core.of_type("AWS::SQS::Queue").items()
    }
    assert kept.pop("QueueFeedbackDeadLetters") == 7
    assert set(kept.values()) == {14}


@pytest.mark.parametrize("name", ["staging", "prod"])
@pytest.mark.parametrize("key", ["audit_days", "trail_days"])
def test_records_of_real_patients_are_kept_for_six_years(name: str, key: str) -> None:
    """45 CFR 164.316(b)(2)(i)."""
    environment = load(name)
    assert asdict(environment.retention)[key] >= 6 * 365
    days: dict[str, Any] = {key: SIX_YEARS - 1}
    shorter = replace(environment.retention, **days)
    with pytest.raises(ValueError, match=rf"retention\.{key}: 2191; allowed: at least 2192"):
        replace(environment, retention=shorter)


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_an_entry_of_real_patients_never_outlives_its_digest(name: str) -> None:
    environment = load(name)
    assert environment.audit.digest_days > environment.retention.audit_days
    longer = replace(environment.retention, audit_days=2223)
    with pytest.raises(ValueError, match=r"audit\.digest_days: 2223; allowed: at least 2254"):
        replace(environment, retention=longer)


def test_an_environment_of_invented_patients_may_keep_records_for_less() -> None:
    environment: Environment = load("dev")
    shorter = replace(environment.retention, audit_days=30, trail_days=30)
    assert replace(environment, retention=shorter).retention.audit_days == 30


def test_an_environment_that_records_accesses_holds_real_patients_by_whatever_name() -> None:
    environment = replace(load("staging"), name="west")
    assert environment.holds_real_patients
    shorter = replace(environment.retention, audit_days=30)
    with pytest.raises(ValueError, match=r"retention\.audit_days: 30"):
        replace(environment, retention=shorter)


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_real_patients_need_the_record_of_accesses(name: str) -> None:
    with pytest.raises(ValueError, match="data_trail: false; allowed: true"):
        replace(load(name), data_trail=False)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("ledger_days", 499, "ledger_days: 499; allowed: at least encounters_days (500)"),
        ("rejected_days", 366, "rejected_days: 366; allowed: at most vault_days (365)"),
        ("rejected_days", 20, "retention.vault_days: 365; allowed: more than"),
        ("feedback_days", 15, "retention.feedback_days: "),
    ],
)
def test_days_that_contradict_each_other_are_refused(
    key: str, value: int, said: str, tmp_path: Path
) -> None:
    content = changed(ENVIRONMENT, ("retention", key), value)
    assert said in refusal(tmp_path, "environment", content)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("log_retention_days",), "retention.logs_days"),
        (("vault_retention_days",), "retention.vault_days"),
        (("vault_recovery_days",), "retention.recovery_days"),
        (("cache_days",), "retention.analyses_days"),
        (("people", "vault_readers"), "people.break_glass"),
    ],
)
def test_a_key_of_an_earlier_version_is_named_with_the_new_one(
    old: tuple[str, ...], new: str, tmp_path: Path
) -> None:
    text = refusal(tmp_path, "environment", changed(ENVIRONMENT, old, 30))
    assert f"west.toml: {'.'.join(old)}: its name is now {new}; rename the key" in text
