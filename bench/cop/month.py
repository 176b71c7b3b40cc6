"""The audit entries of a generated month, as pages of DynamoDB's answers to the report's queries.

The entries are those that the report's filter passes, with the members that it projects. A page of the index
`by_day` covers 1 MB of entries before the filter (Amazon DynamoDB Developer Guide, "Paginating table query
results"); an event has about ten entries of 1 kB.
"""

import json
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.common.clock import iso

KINDS = ("ed_registration", "admission", "ed_discharge", "discharge", "transfer", "update")
SHARES = (28, 20, 24, 20, 3, 5)
DAYS = 31
EVENTS_IN_A_PAGE = 100

Item = dict[str, Any]


def pages(events: int, seed: int) -> dict[str, list[bytes]]:
    """Returns the bodies of the answers by day, and by event id, with so many events in October 2026."""
    chance = random.Random(seed)
    days: dict[str, list[Item]] = defaultdict(list)
    chains: dict[str, list[Item]] = {}
    first = datetime(2026, 10, 1, tzinfo=UTC)
    for number in range(events):
        received = first + timedelta(seconds=chance.uniform(0, DAYS * 86_400 - 60))
        event_id = f"{number:032x}"
        chains[event_id] = _event(event_id, received, chance)
        days[iso(received)[:10]] += chains[event_id]
    return {key: _bodies(items) for key, items in (*days.items(), *chains.items())}


def _event(event_id: str, received: datetime, chance: random.Random) -> list[Item]:
    """The entries of one event: 93 % are told, 15 % of them to a second provider, some mails bounce."""
    happened = received - timedelta(seconds=chance.expovariate(1 / 45))
    decided = _item(
        event_id,
        received,
        "DECIDED",
        event_kind=chance.choices(KINDS, SHARES)[0],
        event_time=iso(happened),
        received_at=iso(received),
    )
    mailed = received + timedelta(seconds=chance.lognormvariate(1.2, 0.5))
    fate = chance.random()
    if fate < 0.93:
        recipients = 2 if chance.random() < 0.15 else 1
        return [decided, *(_delivery(event_id, mailed, "SENT", n) for n in range(recipients))]
    if fate < 0.96:
        return [decided, _item(event_id, mailed, "UNKNOWN_PATIENT")]
    if fate < 0.98:
        one = {"recipient_ref": {"S": "k1." + "c" * 32}, "reason": {"S": "RECIPIENT_OFF"}}
        nobody = _item(event_id, mailed, "NO_RECIPIENT")
        return [decided, {**nobody, "considered": {"L": [{"M": one}]}}]
    if fate < 0.99:
        suppressed = _delivery(event_id, mailed, "SUPPRESSED", 0)
        return [decided, {**suppressed, "suppressed_because": {"S": "OPTED_OUT"}}]
    if fate < 0.991:
        return [decided, _delivery(event_id, mailed, "UNKNOWN", 0)]
    return [
        decided,
        _delivery(event_id, mailed, "SENT", 0),
        _delivery(event_id, mailed, "BOUNCED", 0),
    ]


def _delivery(event_id: str, moment: datetime, action: str, number: int) -> Item:
    return _item(
        event_id,
        moment,
        action,
        recipient_ref=f"k1.{number:032x}",
        delivery_id=f"{event_id[:31]}{number}",
        event_kind="admission",
    )


def _item(event_id: str, moment: datetime, action: str, **facts: str) -> Item:
    texts = {"event_id": event_id, "sk": action, "action": action, "time": iso(moment), **facts}
    return {name: {"S": value} for name, value in texts.items()}


def _bodies(items: list[Item]) -> list[bytes]:
    """The answers of a day, each but the last with a key to go on from."""
    size = EVENTS_IN_A_PAGE * 2
    cuts = [items[start : start + size] for start in range(0, len(items), size)]
    last = len(cuts) - 1
    return [
        json.dumps(
            {
                "Items": cut,
                "Count": len(cut),
                "ScannedCount": EVENTS_IN_A_PAGE * 10,
                **(
                    {} if number == last else {"LastEvaluatedKey": {"page": {"S": str(number + 1)}}}
                ),
            }
        ).encode()
        for number, cut in enumerate(cuts)
    ]
