"""Audits looks of people: the entry is written before anything is shown.

The entries of a day (UTC) are a chain of their own, `access#2026-11-26`. So a role may append to these
chains and to no event's: `dynamodb:LeadingKeys` limits it to them (docs/adr/0291-entries-of-looks.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lambdas.common.audit import chain
from lambdas.common.clock import now
from lambdas.common.contracts.audit import (
    AuditAction,
    AuditEntry,
    AuditOutcome,
    AuditStep,
    LookedAt,
)
from lambdas.common.contracts.document import read_as
from lambdas.common.function.context import Context
from ops.audit.entries import readable
from ops.audit.entry import audit
from ops.audit.principal import name_of_actor
from ops.period import Period
from ops.problem import ProblemError

CHAIN = "access#"
MAX_REASON = 200


@dataclass(frozen=True, slots=True)
class PatientDataReading:
    """A reading of patient data: the thing, its id or key, and the reason for it."""

    looked_at: LookedAt
    looked_at_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Look:
    """One look of a person: the principal, the thing, and the reason, "" where none is asked for."""

    time: str
    by: str
    looked_at: str
    looked_at_id: str
    reason: str
    outcome: str


def chain_of(day: str) -> str:
    """Returns the name of the chain of a day, YYYY-MM-DD in UTC."""
    return f"{CHAIN}{day}"


def record(context: Context, by: str, looked_at: LookedAt, looked_at_id: str = "") -> None:
    """Writes the entry of a look by the principal `by`. Raises if it cannot be written."""
    _append(context, AuditAction.LOOKED, by=by, looked_at=looked_at, looked_at_id=looked_at_id)


def record_reading(
    context: Context, by: str, reading: PatientDataReading, outcome: AuditOutcome = AuditOutcome.OK
) -> None:
    """Writes the entry of reading patient data. Raises if it cannot be written.

    `outcome` is `failed` in a second entry, when nothing could be read after the first.
    """
    _append(
        context,
        AuditAction.PATIENT_DATA_READ,
        by=by,
        outcome=outcome,
        looked_at=reading.looked_at,
        looked_at_id=reading.looked_at_id,
        look_reason=reading.reason,
    )


def record_audit_use(
    context: Context,
    by: str,
    looked_at: LookedAt,
    period: Period,
    *,
    looked_at_id: str = "",
    patient_ref: str = "",
    recipient_ref: str = "",
    outcome: AuditOutcome = AuditOutcome.OK,
) -> None:
    """Writes the entry of reading the audit (IHE ATNA, "Audit-Log-Used"). Raises if it cannot be written.

    It carries the reference of the patient or provider, so that the next answer about them shows it.
    """
    _append(
        context,
        AuditAction.AUDIT_LOG_USED,
        by=by,
        outcome=outcome,
        looked_at=looked_at,
        looked_at_id=looked_at_id or patient_ref or recipient_ref,
        patient_ref=patient_ref or None,
        recipient_ref=recipient_ref or None,
        since=period.since.isoformat(),
        until=period.until.isoformat(),
    )


def reason_for(text: str) -> str:
    """Returns a reason as the audit takes it. Raises `ProblemError` for an empty, long or unprintable one."""
    reason = text.strip()
    if not reason or len(reason) > MAX_REASON or not reason.isprintable():
        raise ProblemError(
            f"--reason takes 1 to {MAX_REASON} printable characters, without patient data:"
            " name the ticket or the question."
        )
    return reason


def during(context: Context, period: Period) -> Iterator[Look]:
    """Yields the looks of these days, the oldest first."""
    for day in period.days():
        for item in readable(chain.entries(context, chain_of(day))):
            entry = read_as(AuditEntry, item)
            yield Look(
                time=entry.time or "",
                by=name_of_actor(entry.actor),
                looked_at=entry.looked_at or "",
                looked_at_id=entry.looked_at_id or "",
                reason=entry.look_reason or "",
                outcome=entry.outcome,
            )


def _append(context: Context, action: AuditAction, **members: Any) -> None:
    audit(context, chain_of(now()[:10]), AuditStep.LOOK, action, **members)
