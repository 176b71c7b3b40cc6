"""Gives events turns at Comprehend Medical, so all functions together stay below the account's quota.

The quotas are requests and characters a second, of each operation, for the whole account (Amazon
Comprehend Medical endpoints and quotas, AWS General Reference). Functions share one item in DynamoDB:
the time from which the quota is free. An event advances that time by the seconds that its requests
cost, and begins at the time that it read (the generic cell rate algorithm of ITU-T I.371). Turns are in
the order of the updates (docs/adr/0143-turns-at-comprehend-medical.md).
"""

from lambdas.common.aws.item_writes import Update, update
from lambdas.common.aws.items import Item
from lambdas.common.errors import DependencyUnavailableError
from lambdas.extract_entities.context import ExtractContext

KEY = "rate#comprehendmedical"
"""The item's key in the ledger's table."""

BURST_SECONDS = 0.25
"""Seconds of unused quota that may be used at once."""

PATIENCE_SECONDS = 1.0
"""Longest wait for a turn inside the function; the workflow waits longer ones."""

TRIES = 10


def take(context: ExtractContext, cost: float, now: float, latest: float) -> float | None:
    """Returns the time at which requests that cost this many seconds of the quota may begin.

    None, with no turn taken, when that would be after `latest`. All values are seconds, times since
    the epoch. Raises `DependencyUnavailableError` when the table does not answer.
    """
    step, floor, end = _ms(cost), _ms(now - BURST_SECONDS), _ms(latest)
    for _ in range(TRIES):
        idle = _change(
            context,
            {"free_at": floor + step},
            "attribute_not_exists(#free_at) OR #free_at < :floor",
            {":floor": floor},
        )
        if idle.applied:
            return now
        if idle.item.get("free_at", 0) > end:
            return None
        queued = _change(
            context,
            {},
            "#free_at BETWEEN :floor AND :latest",
            {":floor": floor, ":latest": end},
            add={"free_at": step},
        )
        if queued.applied:
            return max(now, (int(queued.item["free_at"]) - step) / 1000)
        # Another event took a turn between the two updates.
    raise DependencyUnavailableError("dynamodb: the turns at Comprehend Medical are contended")


def workflow_wait(begin: float, now: float) -> int:
    """Whole seconds that the workflow waits for a turn; 0 when the function waits alone.

    A Wait state takes whole seconds (Amazon States Language, `SecondsPath`).
    """
    return int(begin - now) if begin - now > PATIENCE_SECONDS else 0


def _change(
    context: ExtractContext, changes: Item, condition: str, values: Item, add: Item | None = None
) -> Update:
    """Changes the time from which the quota is free (`free_at`, in milliseconds)."""
    table, key = context.settings.ledger_table, {"delivery_id": KEY}
    return update(context, table, key, changes, condition=condition, values=values, add=add)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
