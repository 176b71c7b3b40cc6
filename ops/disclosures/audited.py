"""Audits a reading of the audit before its answer is shown (IHE ATNA, "Audit-Log-Used")."""

from lambdas.common.contracts.audit import AuditAction, AuditStep
from lambdas.delivery.ledger.context import LedgerContext
from ops.audit import audit
from ops.disclosures.reading import Period

CHAIN = "audit-log-used"
"""The chain's name: `ens trace` does not show it, `ens audit verify audit-log-used` checks it."""


def audit_use(
    context: LedgerContext,
    by: str,
    period: Period,
    *,
    patient_ref: str = "",
    recipient_ref: str = "",
    sender: str = "",
) -> None:
    """Writes the entry of a reading. A patient's and a provider's are part of the next answer about them."""
    audit(
        context,
        CHAIN,
        AuditStep.OPERATOR,
        AuditAction.AUDIT_LOG_USED,
        by=by,
        patient_ref=patient_ref or None,
        recipient_ref=recipient_ref or None,
        sender=sender or None,
        since=period.since.isoformat(),
        until=period.until.isoformat(),
    )
