"""Writes the audit entry of an operator's act."""

from typing import Any

from lambdas.common.audit import chain
from lambdas.common.clock import now
from lambdas.common.context import Context
from lambdas.common.contracts.audit import AuditAction, AuditEntry, AuditOutcome, AuditStep
from ops.principal import actor


def audit(
    context: Context,
    event_id: str,
    step: AuditStep,
    action: AuditAction,
    *,
    by: str,
    outcome: AuditOutcome = AuditOutcome.OK,
    started_at: str = "",
    **facts: Any,
) -> None:
    """Appends the entry of an act by the AWS principal `by` (its ARN) to a chain, of an event or of a name of its own.

    `facts` are members of `AuditEntry`. `started_at` is now where it is "".
    """
    entry = AuditEntry(
        step=step,
        actor=actor(by),
        action=action,
        outcome=outcome,
        started_at=started_at or now(),
        **facts,
    )
    chain.append(context, event_id, entry)
