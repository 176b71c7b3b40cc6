"""Closes encounters that have no end and are due. A schedule calls it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice

from lambdas.common.clock import iso
from lambdas.common.contracts.encounter import Encounter
from lambdas.encounters.context import EncountersContext
from lambdas.encounters.indexes import due, settle_due
from lambdas.encounters.store import DueReason, StoredEncounter
from lambdas.encounters.table import EncounterTable
from lambdas.track_encounter.closing import closed, due_of
from lambdas.track_encounter.history import situation_of
from lambdas.track_encounter.profile import profile_of

CLOSINGS_PER_CALL = 40
"""Each takes about five calls of DynamoDB; the function's time limit is 3 s."""


def close_due(context: EncountersContext, audit: Callable[[Encounter], None]) -> int:
    """Closes the encounters that are due and returns their number, 40 at most.

    `audit` is called before each closing. An encounter that is no longer due by the sender's file gets
    another time. Raises `DependencyUnavailableError`.
    """
    now, count = datetime.now(UTC), 0
    for stored in islice(_due_now(context, now), CLOSINGS_PER_CALL):
        profile = profile_of(
            stored.encounter.sender, context.senders.get(stored.encounter.sender, {})
        )
        after = closed(stored.encounter, profile, now)
        if after is None:
            situation = situation_of(stored.encounter.events)
            moment = due_of(stored.encounter, situation, profile, iso(now))
            settle_due(context, stored, "", moment)
            continue
        audit(stored.encounter)
        count += settle_due(context, stored, after.closed_at, None)
    return count


def _due_now(context: EncountersContext, now: datetime) -> Iterator[StoredEncounter]:
    table = EncounterTable(context)
    for why in (DueReason.OPEN, DueReason.UNBEGUN):
        for key in due(context, why, iso(now)):
            if stored := table.read("", [key]).encounters.get(key):
                yield stored
