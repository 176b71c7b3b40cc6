"""Audits a reading of the audit before its answer is shown (IHE ATNA, "Audit-Log-Used").

The entry is one of the looks (`ens audit looks`); it carries the reference of the patient or provider, so that
the next answer about them shows it.
"""

from lambdas.common.clock import now
from lambdas.common.contracts.audit import AuditAction, AuditOutcome, AuditStep, LookedAt
from ops import looks
from ops.audit import audit
from ops.period import Period
from ops.session import Session


def audit_use(
    session: Session,
    looked_at: LookedAt,
    period: Period,
    *,
    looked_at_id: str = "",
    patient_ref: str = "",
    recipient_ref: str = "",
    outcome: AuditOutcome = AuditOutcome.OK,
) -> None:
    """Writes the entry of a reading. Raises if it cannot be written."""
    audit(
        session.context,
        looks.chain_of(now()[:10]),
        AuditStep.LOOK,
        AuditAction.AUDIT_LOG_USED,
        by=session.principal,
        outcome=outcome,
        looked_at=looked_at,
        looked_at_id=looked_at_id or patient_ref or recipient_ref,
        patient_ref=patient_ref or None,
        recipient_ref=recipient_ref or None,
        since=period.since.isoformat(),
        until=period.until.isoformat(),
    )
