"""VerifyAudit: every day, verifies the events and the digest of the newest day that must have one.

It also reads a part of the table for items that no day has (lambdas/common/audit/whole_table.py).
"""

from datetime import UTC, datetime

from lambdas.common.audit.context import AuditContext, AuditSettings
from lambdas.common.audit.digests import due_day
from lambdas.common.audit.verification import verify_period
from lambdas.common.audit.whole_table import part_of, verify_part
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
    digests = context.digests()
    verdict = verify_period(context, digests, day, day, due=day)
    part = verify_part(context, digests, part_of(day))
    said = [*verdict.problems, *verdict.unchecked]
    if part.more:
        said.append(f"{part.more} more events have an item that no day has")
    if not verdict.digests and not said:
        said = [f"there is no digest of {day}"]
    for problem in said:
        run.logger.error("the audit trail is broken", day=day, problem=problem)
    faulty = {one.event_id: one for one in (*verdict.faulty, *part.faulty)}
    for one in list(faulty.values())[:MAX_LOGGED]:
        problems = [*one.problems, *one.unchecked]
        run.logger.error(
            "the audit trail is broken", day=day, event_id=one.event_id, problem=problems[0]
        )
    faults = len(said) + len(faulty)
    run.count("AuditFaults", faults)
    run.count("AuditEventsVerified", verdict.events)
    run.count("AuditVerifications")
    return AuditVerificationResult(day=day, events=verdict.events, faults=faults)
