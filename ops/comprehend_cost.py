"""Sums the billed units of Comprehend Medical from the audit trail, with their prices."""

from dataclasses import dataclass

from lambdas.common.audit import chain
from lambdas.common.contracts.audit import AuditAction, AuditOutcome
from lambdas.delivery.ledger.context import LedgerContext
from ops.audit.entries import readable

PRICES = {
    "DetectEntitiesV2": 0.01,
    "InferICD10CM": 0.0005,
    "InferRxNorm": 0.00025,
}
"""USD per unit of 100 characters, without free tier and volume tiers (docs/cost.md names the source)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Events, billed units and price of one operation on one day (UTC)."""

    day: str
    operation: str
    events: int
    units: int
    usd: float


def of_day(context: LedgerContext, day: str) -> list[Cost]:
    """Returns the sums of a day (YYYY-MM-DD, UTC) for each operation with billed units."""
    events: dict[str, set[str]] = {}
    units: dict[str, int] = {}
    extracted = {":extracted": AuditAction.EXTRACTED}
    entries = chain.of_day(
        context, day, AuditOutcome.OK, extracted, FilterExpression="#action = :extracted"
    )
    for entry in readable(entries):
        for operation, count in (entry.get("units") or {}).items():
            if count:
                units[operation] = units.get(operation, 0) + int(count)
                events.setdefault(operation, set()).add(entry["event_id"])
    return [
        Cost(day, operation, len(events[operation]), count, count * PRICES.get(operation, 0.0))
        for operation, count in sorted(units.items())
    ]
