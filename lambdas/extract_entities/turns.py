"""Turns at Comprehend Medical, so that all functions together stay below the account's quota.

The quotas are requests and characters a second, of each operation, for the whole account (Amazon
Comprehend Medical endpoints and quotas, AWS General Reference). Functions share one item in DynamoDB:
the moment from which the quota is free. An event moves that moment on by the seconds that its requests
cost, and sends them from the moment that it found (the generic cell rate algorithm of ITU-T I.371).
Turns are given in the order in which they were asked for, and no function has to know of another.
"""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws import client, dependency
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.items import Item, from_item, to_item
from lambdas.common.settings import required

KEY = "rate#comprehendmedical"
"""The item's key in the ledger's table, beside the counters of the mail rate."""

BURST_SECONDS = 0.25
"""How much of the quota that nobody used may be used at once."""

PATIENCE_SECONDS = 1.0
"""How long a function waits for its turn by itself; longer waits are the workflow's."""

TRIES = 10


@dataclass(frozen=True, slots=True)
class Quota:
    """The account's quota of each operation: requests and characters a second."""

    requests: float
    characters: float

    def seconds_for(self, characters: int) -> float:
        """How long one request of so many characters uses the quota up."""
        return max(1 / self.requests, characters / self.characters)


def take(cost: float, now: float, latest: float) -> float | None:
    """The moment at which requests that cost so many seconds of the quota may begin.

    None, with no turn taken, when that would be after `latest`. All are seconds; moments since the
    epoch. Raises `DependencyUnavailableError` when the table does not answer.
    """
    step, floor, end = _ms(cost), _ms(now - BURST_SECONDS), _ms(latest)
    for _ in range(TRIES):
        queued = _change(
            "SET free_at = free_at + :step",
            "free_at BETWEEN :floor AND :latest",
            {":step": step, ":floor": floor, ":latest": end},
        )
        if queued.changed:
            return max(now, (queued.free_at - step) / 1000)
        if queued.free_at > end:
            return None
        idle = _change(
            "SET free_at = :next",
            "attribute_not_exists(free_at) OR free_at < :floor",
            {":next": floor + step, ":floor": floor},
        )
        if idle.changed:
            return now
        # Another event took its turn between the two questions.
    raise DependencyUnavailableError("dynamodb: the turns at Comprehend Medical are contended")


def workflow_wait(begin: float, now: float) -> int:
    """Whole seconds that the workflow waits for a turn; the function waits for the rest (0: it alone).

    A Wait state takes whole seconds (Amazon States Language, `SecondsPath`).
    """
    return int(begin - now) if begin - now > PATIENCE_SECONDS else 0


@dataclass(frozen=True, slots=True)
class _Clock:
    """The moment from which the quota is free, in milliseconds, and whether we moved it."""

    changed: bool
    free_at: int


def _change(update: str, condition: str, values: dict[str, int]) -> _Clock:
    try:
        with dependency("dynamodb"):
            answer = client("dynamodb").update_item(
                TableName=required("ENS_LEDGER_TABLE"),
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
