"""Alarms of the audit trail: it is broken, or nobody verified it."""

from constructs import Construct

from infra.monitoring.alarm_topic import Alarms, Comparison, Missing
from infra.monitoring.metrics import own
from infra.monitoring.watched import Watched


class AuditAlarms(Construct):
    """Adds the alarms by VerifyAudit's counts, one run a day."""

    def __init__(
        self, scope: Construct, construct_id: str, *, watched: Watched, alarms: Alarms
    ) -> None:
        super().__init__(scope, construct_id)
        alarms.watch_events(
            self,
            "audit-broken",
            "VerifyAudit",
            "AuditFaults",
            meaning="Entries of the audit trail are missing or altered, or a day has no digest.",
        )
        alarms.watch(
            self,
            "audit-unverified",
            meaning="The audit trail was not verified for two days.",
            metric=own(watched.environment, "VerifyAudit", "AuditVerifications", minutes=24 * 60),
            comparison=Comparison.LESS_THAN_THRESHOLD,
            periods=2,
            missing=Missing.BREACHING,
        )
