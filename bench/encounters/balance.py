"""Checks that every begin that was told has an end, a correction or an open encounter."""

from collections import Counter
from collections.abc import Iterable

from lambdas.common.contracts.encounters.encounter import Encounter, Phase
from lambdas.common.contracts.message.event_kind import ENDS
from lambdas.encounters.store import StoredEncounter
from lambdas.track_encounter.history import situation_of
from lambdas.track_encounter.notices import BEGINNINGS

END, CORRECTION, OPEN, NONE = "end", "correction or cancellation", "open encounter", "nothing"


def balance(stored: Iterable[StoredEncounter]) -> Counter[str]:
    """The told begins by what followed them; `nothing` must be 0."""
    found: Counter[str] = Counter()
    for one in stored:
        found.update(_followed_by(one.encounter))
    return found


def _followed_by(encounter: Encounter) -> Iterable[str]:
    told = [fact for fact in encounter.told if not fact.silent]
    open_ = situation_of(encounter.events).phase in (Phase.IN, Phase.SEEN)
    for index, fact in enumerate(told):
        if fact.kind not in BEGINNINGS:
            continue
        if fact.withdrawn_by:
            yield CORRECTION
        elif any(one.kind in ENDS and not one.withdrawn_by for one in told[index:]):
            yield END
        else:
            yield OPEN if open_ else NONE
