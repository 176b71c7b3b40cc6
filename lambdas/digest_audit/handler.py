"""DigestAudit: every hour, writes the digests of the days that have ended and have none yet."""

from datetime import UTC, datetime

from lambdas.common.audit.context import AuditContext, AuditSettings
from lambdas.common.contracts.workflow.tasks import AuditDigestResult
from lambdas.common.function.scheduled import ScheduledRun, scheduled
from lambdas.digest_audit.digesting import write_due


@scheduled("DigestAudit", lambda: AuditContext(AuditSettings.from_environment()))
def lambda_handler(run: ScheduledRun, context: AuditContext) -> AuditDigestResult:
    """The days whose digests were written. Raises `DependencyUnavailableError`."""
    days = write_due(context, datetime.now(UTC), lambda: run.remaining_seconds)
    run.count("AuditDigests", len(days))
    return AuditDigestResult(days=tuple(days))
