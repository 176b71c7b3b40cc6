"""Units that Comprehend Medical billed, summed from the audit trail, and the prices they are billed at."""

from dataclasses import asdict, dataclass
from typing import Any

from lambdas.common.audit import chain
from lambdas.delivery.ledger.context import LedgerContext

PRICES = {
    "DetectEntitiesV2": 0.01,
    "DetectPHI": 0.0014,
    "InferICD10CM": 0.0005,
    "InferRxNorm": 0.00025,
}
"""USD a unit of 100 characters, without the free tier and volume tiers (docs/cost.md says where from)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one operation was asked on one day."""

    day: str
    operation: str
    events: int
    units: int
    usd: float

    def to_dict(self) -> dict[str, Any]:
        """The sums as JSON values."""
        return asdict(self)


def of_day(context: LedgerContext, day: str) -> list[Cost]:
    """A day's sums by operation, those with units only; the day is YYYY-MM-DD in UTC."""
    events: dict[str, set[str]] = {}
    units: dict[str, int] = {}
    entries = chain.query(
        context,
        IndexName="by_day",
        KeyConditionExpression="#day = :d AND begins_with(outcome_time, :ok)",
        FilterExpression="#action = :extracted",
        ExpressionAttributeNames={"#day": "day", "#action": "action"},
        ExpressionAttributeValues={
            ":d": {"S": day},
            ":ok": {"S": "ok#"},
            ":extracted": {"S": "EXTRACTED"},
        },
    )
    for entry in entries:
        for operation, count in (entry.get("units") or {}).items():
            if count:
                units[operation] = units.get(operation, 0) + int(count)
                events.setdefault(operation, set()).add(entry["event_id"])
    return [
        Cost(day, operation, len(events[operation]), count, count * PRICES.get(operation, 0.0))
        for operation, count in sorted(units.items())
    ]
