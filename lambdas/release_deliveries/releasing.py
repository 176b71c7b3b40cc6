"""Which deliveries are due, and having them made: each by DeliverNotification, whose ledger decides.

This function moves nothing to `sent`. If it dies, or runs twice, the next run finds the same items.
"""

import os
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from lambdas.common import deliveries
from lambdas.common.clock import iso, milliseconds_since, now
from lambdas.common.deliveries import CLAIMED, HELD, PAUSED, SENDING, UNKNOWN
from lambdas.common.items import Item
from lambdas.common.log import Result, Run
from lambdas.release_deliveries import ledger
from lambdas.release_deliveries.delivering import deliver, digest

AT_ONCE = 8
"""Mails made at the same time: with a fifth of a second each, about forty a second."""

LATEST_START_MS = 40_000
"""The function has 55 s; what is left then waits for the next minute."""

STALE = timedelta(minutes=2)
"""A release that was begun so long ago has died: no function lives longer."""

RESEND_AFTER = timedelta(minutes=10)
"""How long an unknown delivery waits for SES's own event before the policy may send it again."""

MOST_IN_DIGEST = 8
"""Eight full notifications stay below the 100 kB that mail programs show; more are a second mail."""

TOGETHER = ("digest", "quiet")


def release(run: Run) -> Result:
    """Releases what is due, oldest first, and returns the counts of `due` and of each outcome.

    Nothing while the environment is paused. A held item without `release_at` waits for a person.
    An unknown one is sent again once, where the environment says so and SES has kept silent.
    """
    moment = datetime.now(UTC)
    held, unknown = ledger.in_state(HELD), ledger.in_state(UNKNOWN)
    _measure(run, held, unknown, moment)
    if (deliveries.read(deliveries.SWITCH) or {}).get("state") == PAUSED:
        return {"due": 0, "paused": True}
    due = [item for item in held if _is_due(item, iso(moment))]
    if os.environ.get("ENS_ON_UNKNOWN") == "resend_once":
        quiet = iso(moment - RESEND_AFTER)
        due += [
            item
            for item in unknown
            if item["updated_at"] < quiet and ledger.resend(item["delivery_id"])
        ]
    stale = iso(moment - STALE)
    for state in (CLAIMED, SENDING):
        due += [item for item in ledger.in_state(state, before=stale) if item.get("released")]
    jobs = [*map(_single, _alone(due)), *_digests(due)]
    outcomes: Counter[str] = Counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for outcome in pool.map(lambda job: _made(job, run), jobs):
            outcomes[outcome] += 1
    for outcome, count in outcomes.items():
        run.count(f"Released_{outcome}", count)
    return {"due": len(due), **outcomes}


def _measure(run: Run, held: list[Item], unknown: list[Item], moment: datetime) -> None:
    """Counts for the alarms what waits and how long, every minute, also while nothing may go."""
    overdue = [item["release_at"] for item in held if _is_due(item, iso(moment))]
    oldest = datetime.fromisoformat(min(overdue)) if overdue else moment
    run.count("UnknownDeliveries", len(unknown))
    run.count("HeldDeliveries", len(held))
    run.count("OverdueDeliveries", len(overdue))
    run.count("OldestOverdueSeconds", int((moment - oldest).total_seconds()))


def _is_due(item: Item, moment: str) -> bool:
    return "task" in item and bool(item.get("release_at")) and item["release_at"] <= moment


def _alone(due: Iterable[Item]) -> list[Item]:
    return [item for item in due if not _is_for_digest(item)]


def _is_for_digest(item: Item) -> bool:
    waits = item["state"] == HELD and item.get("hold_reason") in TOGETHER
    return bool(item.get("digest_id")) or waits


Job = tuple[str, list[Item]]


def _single(item: Item) -> Job:
    return "", [item]


def _digests(due: Iterable[Item]) -> list[Job]:
    """What goes out together: bound to a summary before, or now; alone if there is nothing beside it.

    The binding is written first, so that a run that dies leaves the next one the same summary.
    """
    bound: dict[str, list[Item]] = {}
    fresh: dict[tuple[str, str], list[Item]] = {}
    for item in due:
        if item.get("digest_id"):
            bound.setdefault(item["digest_id"], []).append(item)
        elif _is_for_digest(item):
            fresh.setdefault((item["recipient_ref"], item["channel"]), []).append(item)
    jobs: list[Job] = list(bound.items())
    for items in fresh.values():
        items.sort(key=lambda item: item.get("claimed_at", ""))
        for start in range(0, len(items), MOST_IN_DIGEST):
            part = items[start : start + MOST_IN_DIGEST]
            jobs.append(_single(part[0]) if len(part) == 1 else ledger.bound(part))
    return jobs


def _made(job: Job, run: Run) -> str:
    if milliseconds_since(run.started_at) > LATEST_START_MS:
        return "later"
    digest_id, items = job
    return digest(digest_id, items, now()) if digest_id else deliver(items[0])
