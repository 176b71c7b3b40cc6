"""Builds audit entries for tests of what reads the trail."""

from typing import Any

from lambdas.common.contracts.audit import AuditEntry
from lambdas.common.contracts.document import read_as


def entry(step: str, action: str, outcome: str = "ok", **facts: Any) -> AuditEntry:
    """The entry that a step writes. `facts` are members of the entry, as JSON."""
    document = {"step": step, "actor": f"lambda:{step}", "action": action, "outcome": outcome}
    started_at = facts.pop("started_at", "2026-11-23T13:12:05.000Z")
    return read_as(AuditEntry, {**document, "started_at": started_at, **facts})
