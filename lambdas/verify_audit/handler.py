"""VerifyAudit: every day, verifies the events and the digest of the newest day that must have one."""

from datetime import UTC, datetime

from lambdas.common.audit.context import AuditContext, AuditSettings
from lambdas.common.audit.digests import due_day
from lambdas.common.audit.verification import verify_period
from lambdas.common.contracts.workflow.tasks import AuditVerificationResult
from lambdas.common.function.scheduled import ScheduledRun, scheduled

MAX_LOGGED = 20
"""Most faulty events that one run logs."""


@scheduled("VerifyAudit", lambda: AuditContext(AuditSettings.from_environment()))
def lambda_handler(run: ScheduledRun, context: AuditContext) -> AuditVerificationResult:
    """The number of events of the day and of faults. Each fault is logged with its event.

    A missing digest is a fault. Raises `DependencyUnavailableError`.
    """
    day = due_day(datetime.now(UTC))
    verdict = verify_period(context, context.digests(), day, day, due=day)
    said = [*verdict.problems, *verdict.unchecked]
    if not verdict.digests and not said:
        said = [f"there is no digest of {day}"]
    for problem in said:
        run.logger.error("the audit trail is broken", day=day, problem=problem)
    for one in verdict.faulty[:MAX_LOGGED]:
        problems = [*one.problems, *one.unchecked]
        run.logger.error(
            "the audit trail is broken", day=day, event_id=one.event_id, problem=problems[0]
        )
    faults = len(said) + len(verdict.faulty)
    run.count("AuditFaults", faults)
    run.count("AuditEventsVerified", verdict.events)
    run.count("AuditVerifications")
    return AuditVerificationResult(day=day, events=verdict.events, faults=faults)
