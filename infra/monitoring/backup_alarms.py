"""Alarms on the daily backups: a backup or a copy failed, or none came."""

from infra.core.stores.backups import Backups
from infra.monitoring.alarm_topic import Alarms
from infra.monitoring.metrics import metric, summed

BACKUP = "AWS/Backup"


def watch_backups(backups: Backups, alarms: Alarms) -> None:
    """Adds the alarms of a backup vault (AWS Backup developer guide, "AWS Backup metrics with CloudWatch").

    A job that does not start in its window, or does not end in its window, is expired and not failed.
    """
    vault = {"BackupVaultName": backups.vault_name}
    parts = {
        "failed": metric(BACKUP, "NumberOfBackupJobsFailed", vault),
        "expired": metric(BACKUP, "NumberOfBackupJobsExpired", vault),
    }
    # The guide does not say which of a copy's two vaults the metric names.
    for number, name in enumerate(backups.names_of_copies):
        by_vault = {"BackupVaultName": name}
        parts[f"copies{number}"] = metric(BACKUP, "NumberOfCopyJobsFailed", by_vault)
    alarms.watch(
        backups,
        "backup-failed",
        summed(parts, label="backups and copies that failed", minutes=60),
    )
    completed = metric(BACKUP, "NumberOfBackupJobsCompleted", vault, minutes=24 * 60)
    alarms.watch(backups, "backup-missing", completed)
