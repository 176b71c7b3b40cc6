"""Tables and vault are backed up daily, for as long as the environment says, and elsewhere if it says so."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from environments import Backup, load
from tests.infra.assemblies import Stacks, stacks_of
from tests.infra.conftest import EVERY
from tests.infra.template import Template, text
from tests.unit.environments.files import ENVIRONMENT, changed, refusal

ELSEWHERE = "arn:aws:backup:us-west-2:210987654321:backup-vault:hl7-ens-prod"


def rules(core: Template) -> list[dict[str, object]]:
    (plan,) = core.of_type("AWS::Backup::BackupPlan").values()
    found: list[dict[str, object]] = plan["Properties"]["BackupPlan"]["BackupPlanRule"]
    return found


def test_everything_but_the_cache_is_backed_up_every_day(prod: Stacks) -> None:
    core = prod["core"]
    (selection,) = core.of_type("AWS::Backup::BackupSelection").values()
    chosen = {text(r) for r in selection["Properties"]["BackupSelection"]["Resources"]}
    tables = {f"<{name}.Arn>" for name in core.of_type("AWS::DynamoDB::Table")}
    assert chosen == tables - {"<TableLookups.Arn>"} | {"<BucketVault.Arn>"}
    (rule,) = rules(core)
    assert rule["ScheduleExpression"] == "cron(0 6 * * ? *)"
    assert rule["Lifecycle"] == {"DeleteAfterDays": load("prod").backup.days}  # type: ignore[union-attr]


@pytest.mark.parametrize("name", EVERY)
def test_an_environment_without_real_patients_may_go_without_backups(
    name: str, synthesised: Callable[[str], Stacks]
) -> None:
    made = synthesised(name)["core"].of_type("AWS::Backup::BackupVault")
    assert bool(made) is bool(load(name).backup)


def test_backups_have_a_key_of_their_own(prod: Stacks) -> None:
    core = prod["core"]
    (vault,) = core.of_type("AWS::Backup::BackupVault").values()
    assert text(vault["Properties"]["EncryptionKeyArn"]) == "<KeyBackups.Arn>"


def test_backups_are_copied_where_the_environment_says() -> None:
    copied = replace(load("prod"), backup=Backup(days=35, copy_to=(ELSEWHERE,)))
    (rule,) = rules(stacks_of(copied)["core"])
    assert rule["CopyActions"] == [
        {"DestinationBackupVaultArn": ELSEWHERE, "Lifecycle": {"DeleteAfterDays": 35}}
    ]


def test_a_backup_that_came_too_late_or_could_not_be_copied_raises_an_alarm(prod: Stacks) -> None:
    """AWS Backup developer guide, "AWS Backup metrics with CloudWatch": an expired job is no failed one."""
    assert counted(prod["core"]) == {
        ("NumberOfBackupJobsFailed", "hl7-ens-prod"),
        ("NumberOfBackupJobsExpired", "hl7-ens-prod"),
    }
    elsewhere = "arn:aws:backup:us-west-2:210987654321:backup-vault:far"
    copied = replace(load("prod"), backup=Backup(days=35, copy_to=(ELSEWHERE, elsewhere)))
    assert counted(stacks_of(copied)["core"]) - counted(prod["core"]) == {
        ("NumberOfCopyJobsFailed", "hl7-ens-prod"),
        ("NumberOfCopyJobsFailed", "far"),
    }


def counted(core: Template) -> set[tuple[str, str]]:
    """The metrics whose sum is the alarm on failed backups, each with its vault."""
    (alarm,) = (
        one["Properties"]
        for one in core.of_type("AWS::CloudWatch::Alarm").values()
        if one["Properties"]["AlarmName"].endswith("-backup-failed")
    )
    (sum_of,) = (one["Expression"] for one in alarm["Metrics"] if "Expression" in one)
    parts = {one["Id"]: one["MetricStat"] for one in alarm["Metrics"] if "MetricStat" in one}
    assert sum_of == " + ".join(f"FILL({part}, 0)" for part in parts)
    assert {(part["Stat"], part["Period"]) for part in parts.values()} == {("Sum", 3600)}
    return {
        (part["Metric"]["MetricName"], dimension["Value"])
        for part in parts.values()
        for dimension in part["Metric"]["Dimensions"]
    }


def test_a_copy_goes_to_a_backup_vault_and_nowhere_else(tmp_path: Path) -> None:
    copied = changed(ENVIRONMENT, ("backup", "copy_to"), ["arn:aws:s3:::bucket"])
    text = refusal(tmp_path, "environment", copied)
    assert "west.toml: backup.copy_to[0]: " in text
    assert "allowed: the ARN of a backup vault" in text


@pytest.mark.parametrize(
    ("recovery", "backup", "key"),
    [
        (0, None, "recovery_days"),
        (365, None, "vault_days"),
        (7, {"days": 358}, "vault_days"),
    ],
)
def test_a_retention_shorter_than_its_copies_is_refused(
    recovery: int, backup: dict[str, int] | None, key: str, tmp_path: Path
) -> None:
    """The last copy of a message must be gone when the retention has passed."""
    days = {"vault_days": 365, "recovery_days": recovery, "logs_days": 30}
    environment = {k: v for k, v in ENVIRONMENT.items() if k != "backup"} | {"retention": days}
    if backup:
        environment["backup"] = backup
    assert f"west.toml: retention.{key}: {days[key]}" in refusal(
        tmp_path, "environment", environment
    )
