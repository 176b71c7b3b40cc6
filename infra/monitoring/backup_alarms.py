"""Alarms on the daily backups: one failed, or none came."""

from infra.core.stores.backups import Backups
from infra.monitoring.alarm_topic import Alarms, Comparison, Missing
from infra.monitoring.metrics import metric


def watch_backups(backups: Backups, alarms: Alarms) -> None:
    """Adds the alarms of a backup vault (AWS Backup developer guide, "Metrics with CloudWatch")."""
    vault = {"BackupVaultName": backups.vault_name}
    alarms.watch(
        backups,
        "backup-failed",
        meaning="A daily backup of a table or of the vault failed.",
        metric=metric("AWS/Backup", "NumberOfBackupJobsFailed", vault, minutes=60),
        tells_end=False,
    )
    alarms.watch(
        backups,
        "backup-missing",
        meaning="No backup was completed for two days.",
        metric=metric("AWS/Backup", "NumberOfBackupJobsCompleted", vault, minutes=24 * 60),
        comparison=Comparison.LESS_THAN_THRESHOLD,
        periods=2,
        missing=Missing.BREACHING,
    )
