"""Who changed master data: an entry in a chain of its own, since no event is concerned."""

from typing import Any

from lambdas.common.audit import chain
from lambdas.common.clock import now
from lambdas.delivery.ledger.context import LedgerContext

CHAIN = "registry"
"""The chain's name: `ens trace registry` shows it, `ens audit verify registry` checks it."""


def audit_change(
    context: LedgerContext, by: str, action: str, counts: dict[str, int], **facts: Any
) -> None:
    """Audits what a person is about to write: counts and references, nothing of the files.

    Before it is written: what was cut short half-way is audited too.
    """
    chain.append(
        context,
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
