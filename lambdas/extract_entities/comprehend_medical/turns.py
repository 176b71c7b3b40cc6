"""Gives events turns at Comprehend Medical, so all functions together stay below the account's quota.

The quotas are requests and characters a second, of each operation, for the whole account (Amazon
Comprehend Medical endpoints and quotas, AWS General Reference). Functions share one item in DynamoDB:
the time from which the quota is free. An event advances that time by the seconds that its requests
cost, and begins at the time that it read (the generic cell rate algorithm of ITU-T I.371). Turns are in
the order of the updates (docs/adr/0143-turns-at-comprehend-medical.md).
"""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws.clients import dependency
from lambdas.common.aws.items import Item, from_item, to_item
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
            "SET free_at = :next",
            "attribute_not_exists(free_at) OR free_at < :floor",
            {":next": floor + step, ":floor": floor},
        )
        if idle.changed:
            return now
        if idle.free_at > end:
            return None
        queued = _change(
            context,
            "SET free_at = free_at + :step",
            "free_at BETWEEN :floor AND :latest",
            {":step": step, ":floor": floor, ":latest": end},
        )
        if queued.changed:
            return max(now, (queued.free_at - step) / 1000)
        # Another event took a turn between the two updates.
    raise DependencyUnavailableError("dynamodb: the turns at Comprehend Medical are contended")


def workflow_wait(begin: float, now: float) -> int:
    """Whole seconds that the workflow waits for a turn; 0 when the function waits alone.

    A Wait state takes whole seconds (Amazon States Language, `SecondsPath`).
    """
    return int(begin - now) if begin - now > PATIENCE_SECONDS else 0


@dataclass(frozen=True, slots=True)
class _Clock:
    """The time from which the quota is free, in milliseconds, and whether this call changed it."""

    changed: bool
    free_at: int


def _change(context: ExtractContext, update: str, condition: str, values: dict[str, int]) -> _Clock:
    try:
        with dependency("dynamodb"):
            answer = context.client("dynamodb").update_item(
                TableName=context.settings.ledger_table,
                Key=to_item({"delivery_id": KEY}),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_item(values),
                ReturnValues="UPDATED_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return _Clock(False, _free_at(error.response.get("Item", {})))
    return _Clock(True, _free_at(answer["Attributes"]))


def _free_at(item: dict[str, Any]) -> int:
    plain: Item = from_item(item)
    return int(plain.get("free_at", 0))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
