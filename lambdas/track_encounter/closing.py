"""Closes encounters without an end after the time limit of their class. A closing is audited and sends no notice."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

from lambdas.common.clock import iso
from lambdas.common.contracts.encounters.encounter import Encounter, EncounterClass, Phase
from lambdas.encounters.context import EncountersContext
from lambdas.encounters.indexes import due, settle_due
from lambdas.encounters.store import Due, DueReason, StoredEncounter
from lambdas.encounters.table import EncounterTable
from lambdas.track_encounter.history import Situation, situation_of
from lambdas.track_encounter.profile import EncounterProfile, profile_of
from lambdas.track_encounter.triggers import CANCELS

TOLD_CLASSES = (EncounterClass.INPATIENT, EncounterClass.EMERGENCY, EncounterClass.OBSERVATION)
"""The classes whose begin is told: one that no message began is a gap of the feed."""

CLOSINGS_PER_CALL = 40
"""Each takes about five calls of DynamoDB; the function's time limit is 3 s."""


def close_due(context: EncountersContext, audit: Callable[[Encounter], None]) -> int:
    """Closes the encounters that are due and returns their number, 40 at most. A schedule calls it.

    `audit` is called before each closing. An encounter that is no longer due by the sender's file gets
    another time. Raises `DependencyUnavailableError`.
    """
    now, count = datetime.now(UTC), 0
    for stored in islice(_due_now(context, now), CLOSINGS_PER_CALL):
        encounter = stored.encounter
        profile = profile_of(encounter.sender, context.senders.get(encounter.sender, {}))
        after = closed(encounter, profile, now)
        if after is None:
            moment = due_of(encounter, situation_of(encounter.events), profile, iso(now))
            settle_due(context, stored, "", moment)
            continue
        audit(encounter)
        count += settle_due(context, stored, after.closed_at, None)
    return count


def _due_now(context: EncountersContext, now: datetime) -> Iterator[StoredEncounter]:
    table = EncounterTable(context)
    for why in (DueReason.OPEN, DueReason.UNBEGUN):
        for key in due(context, why, iso(now)):
            if stored := table.read("", [key]).encounters.get(key):
                yield stored


def closed(encounter: Encounter, profile: EncounterProfile, now: datetime) -> Encounter | None:
    """The encounter, closed; None for one that has ended, is closed already, or may go on.

    An event that comes later opens it again, and an end is told as ever.
    """
    situation = situation_of(encounter.events)
    if not _may_end(encounter, situation) or now < _closes_at(encounter, situation, profile):
        return None
    return replace(encounter, version=encounter.version + 1, closed_at=iso(now))


def due_of(
    encounter: Encounter, situation: Situation, profile: EncounterProfile, received_at: str
) -> Due | None:
    """The time of the next scheduled check: of an encounter without an end, or of cancellations alone.

    `received_at` is the newest message's. The gaps of a sender that loads its data are no operator's items.
    """
    if all(event.effect in CANCELS for event in encounter.events):
        return None if profile.load else Due(why=DueReason.ORPHAN, at=received_at)
    if not _may_end(encounter, situation):
        return None
    told = situation.facts.encounter_class in TOLD_CLASSES and not profile.load
    unbegun = situation.phase is Phase.SEEN and told
    why = DueReason.UNBEGUN if unbegun else DueReason.OPEN
    return Due(why=why, at=iso(_closes_at(encounter, situation, profile)))


def _may_end(encounter: Encounter, situation: Situation) -> bool:
    return situation.phase in (Phase.IN, Phase.SEEN) and not encounter.closed_at


def _closes_at(encounter: Encounter, situation: Situation, profile: EncounterProfile) -> datetime:
    newest = max(datetime.fromisoformat(event.order) for event in encounter.events)
    return newest + profile.closes_after(situation.facts.encounter_class)
