"""Audits changes of master data, in a chain of their own."""

from typing import Any

from lambdas.common.context import Context
from lambdas.common.contracts.audit import AuditAction, AuditStep
from ops.audit import audit

CHAIN = "registry"
"""The chain's name: `ens trace registry` shows it, `ens audit verify registry` checks it."""


def audit_change(
    context: Context, by: str, action: AuditAction, counts: dict[str, int], **facts: Any
) -> None:
    """Writes the audit entry of a change: counts and references, no content of the files.

    Call it before the change, so that an interrupted change is audited too.
    """
    audit(context, CHAIN, AuditStep.REGISTRY, action, by=by, counts=counts, **facts)
