"""Closes encounters whose end never came, after the sender's time. Nobody is told; the closing is audited."""

from dataclasses import replace
from datetime import datetime

from lambdas.common.clock import iso
from lambdas.common.contracts.encounter import Encounter, Phase
from lambdas.track_encounter.history import situation_of
from lambdas.track_encounter.profile import EncounterProfile


def closed(encounter: Encounter, profile: EncounterProfile, now: datetime) -> Encounter | None:
    """The encounter, closed; None for one that has ended, is closed already, or may go on.

    An event that comes later opens it again, and an end is told as ever.
    """
    situation = situation_of(encounter.events)
    if encounter.closed_at or situation.phase not in (Phase.IN, Phase.SEEN):
        return None
    newest = max(datetime.fromisoformat(event.order) for event in encounter.events)
    if now - newest < profile.closes_after(situation.facts.encounter_class):
        return None
    return replace(encounter, version=encounter.version + 1, closed_at=iso(now))
