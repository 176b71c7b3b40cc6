"""Audits changes of master data, in a chain of their own."""

from typing import Any

from lambdas.common.audit import chain
from lambdas.common.clock import now

CHAIN = "registry"
"""The chain's name: `ens trace registry` shows it, `ens audit verify registry` checks it."""


def audit_change(by: str, action: str, counts: dict[str, int], **facts: Any) -> None:
    """Writes the audit entry of a change: counts and references, no content of the files.

    Call it before the change, so that an interrupted change is audited too.
    """
    chain.append(
        CHAIN,
        {
            "step": "Registry",
            "actor": f"operator:{by}",
            "action": action,
            "outcome": "ok",
            "started_at": now(),
            "counts": counts,
            **facts,
        },
    )
