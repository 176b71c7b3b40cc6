"""Writes the audit entry of an operator's act."""

from typing import Any

from lambdas.common.audit import chain
from lambdas.common.clock import now
from lambdas.common.contracts.audit import AuditAction, AuditEntry, AuditOutcome, AuditStep
from lambdas.common.function.context import Context
from ops.audit.principal import actor

REGISTRY_CHAIN = "registry"
"""The chain of changes of master data: `ens trace registry` shows it, `ens audit verify registry` checks it."""


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
    """Appends the entry of an act by the AWS principal `by` (its ARN) to an event's or another chain.

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


def audit_change(
    context: Context, by: str, action: AuditAction, counts: dict[str, int], **facts: Any
) -> None:
    """Writes the audit entry of a change of master data: counts and references, no content of the files.

    Call it before the change, so that an interrupted change is audited too.
    """
    audit(context, REGISTRY_CHAIN, AuditStep.REGISTRY, action, by=by, counts=counts, **facts)
