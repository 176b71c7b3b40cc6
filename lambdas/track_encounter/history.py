"""Reads the present situation of an encounter from its events, in the order in which they happened.

The events are folded again for every message, so the order of arrival does not matter: a late message
takes its place among the others, and a cancellation that arrives first cancels what arrives later.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from lambdas.common.clock import iso
from lambdas.common.contracts.encounters.encounter import (
    DispositionSays,
    Effect,
    EncounterClass,
    Facts,
    Phase,
    RecordedEvent,
)
from lambdas.track_encounter.triggers import CANCELS

MAX_EVENTS = 200
"""Most events that one encounter keeps; an item of DynamoDB has 400 kB."""

RANKS = {
    Effect.PLAN: 0,
    Effect.BEGIN: 1,
    Effect.ADMIT: 2,
    Effect.MOVE: 3,
    Effect.UPDATE: 3,
    Effect.TO_OUTPATIENT: 4,
    Effect.END: 5,
}
"""The order of events of the same moment and receipt; a cancellation comes after what it cancels."""

STATING = frozenset({*RANKS, Effect.MOVE_TO_PATIENT} - {Effect.PLAN})
"""Effects of events that state something of the encounter, beside the cancellations."""

LEVELS = {
    EncounterClass.UNKNOWN: 0,
    EncounterClass.OUTPATIENT: 0,
    EncounterClass.EMERGENCY: 1,
    EncounterClass.OBSERVATION: 2,
    EncounterClass.INPATIENT: 3,
}
"""The usual way through a hospital, from the emergency department to a ward."""

BEGINS = (Effect.BEGIN, Effect.ADMIT)

CANCELLED = {
    Effect.CANCEL_BEGIN: BEGINS,
    Effect.DELETE: BEGINS,
    Effect.CANCEL_MOVE: (Effect.MOVE,),
    Effect.CANCEL_END: (Effect.END,),
}
"""The effects of the events that a cancellation cancels."""

_MILLISECOND = timedelta(milliseconds=1)

_STATED = (
    *("encounter_class", "facility", "unit", "attending"),
    *("disposition", "discharged_to", "diagnosed", "died", "disposition_says"),
)
"""The members of an update in which it states something of the encounter."""


def position(event: RecordedEvent) -> str:
    """The sort key of an event: its moment, its receipt, its rank and its id."""
    return f"{event.order}|{event.received_at}|{RANKS.get(event.effect, 6)}|{event.at}|{event.event_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The situation of an encounter after all its events.

    `since` is the position at which this spell began: an encounter has another spell when the patient
    comes back under the same number. `begin`, `move`, `end` and `death` are the events on which the
    facts rest, None where there is none. `classes` are those of the spell, in order, `voided` the
    events that a cancellation cancelled.
    """

    phase: Phase = Phase.SEEN
    facts: Facts = Facts()
    classes: tuple[EncounterClass, ...] = ()
    died: bool | None = None
    since: str = ""
    begin: RecordedEvent | None = None
    move: RecordedEvent | None = None
    end: RecordedEvent | None = None
    death: RecordedEvent | None = None
    voided: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Spell:
    """The events of one spell that were not cancelled; `dead` is the newest statement of all spells."""

    since: str = ""
    before: "_Spell | None" = None
    dead: bool = False
    begins: list[RecordedEvent] = field(default_factory=list)
    claims: list[RecordedEvent] = field(default_factory=list)
    ends: list[RecordedEvent] = field(default_factory=list)
    voided: set[str] = field(default_factory=set)
    cancelled: bool = False
    planned: bool = False
    reopened_at: str = ""

    @property
    def encounter_class(self) -> EncounterClass:
        """The class that was stated last, not counting discharges."""
        known = [claim.encounter_class for claim in self.claims if claim.encounter_class]
        return known[-1] if known else EncounterClass.UNKNOWN

    @property
    def died(self) -> bool | None:
        """Whether the patient died, by the newest statement."""
        newest = _newest_of_death(sorted((*self.claims, *self.ends), key=position))
        return newest.died if newest else None

    def is_over_before(self, event: RecordedEvent) -> bool:
        """Whether an event begins a new spell, instead of belonging to this one.

        After a cancellation every event that states something does; after a discharge a begin does.
        An admission that was recorded late, with a time before the discharge, belongs to this one.
        Nothing begins after a death.
        """
        if self.cancelled:
            return event.effect in STATING
        if event.effect not in BEGINS or not self.ends or (self.died and self.dead):
            return False
        left = max(end.at for end in self.ends)
        returned = event.at == left and bool(self.begins)  # in the second of the discharge
        if event.at > left or (returned and all(event.at != begin.at for begin in self.begins)):
            return True
        # From the emergency department into a bed: PV1-44 is often still the time of the arrival there.
        return bool(self.begins) and LEVELS[event.encounter_class] > LEVELS[self.encounter_class]


def situation_of(events: Iterable[RecordedEvent]) -> Situation:
    """Returns the situation after these events, given in any order."""
    ordered = sorted(_entered_again(sorted(events, key=position)), key=position)
    ordered = _without_repeated_cancellations(ordered)
    newest = _newest_of_death(ordered)
    spell = _Spell(dead=newest is not None and newest.died is True)
    for event in ordered:
        if spell.is_over_before(event):
            spell = _Spell(
                since=position(event), voided=spell.voided, before=spell, dead=spell.dead
            )
        _apply(spell, event)
        if spell.cancelled and spell.before:
            # A spell that never was leaves the one before it as it ended.
            spell = spell.before
    return _situation(spell)


def _entered_again(ordered: list[RecordedEvent]) -> Iterator[RecordedEvent]:
    """The events; one that was entered again after a cancellation, with its old time, comes behind it.

    A cancellation that would then cancel nothing was received before its event, and still cancels it.
    """
    for event in ordered:
        moved = event
        for index, cancel in enumerate(ordered):
            effects = CANCELLED.get(cancel.effect, ())
            if event.effect in effects and event.order <= cancel.order < event.recorded_at:
                cancelled = (one for one in ordered[:index] if one.effect in effects)
                if any(one.recorded_at <= cancel.order for one in cancelled):
                    after = datetime.fromisoformat(cancel.order) + _MILLISECOND
                    moved = replace(event, order=iso(after))
        yield moved


def _without_repeated_cancellations(ordered: list[RecordedEvent]) -> list[RecordedEvent]:
    """The events without a cancellation that was sent again: it cancels nothing more than the first one."""
    seen: set[tuple[object, ...]] = set()
    kept = []
    for event in ordered:
        if event.effect in CANCELS and event.at:
            place = event.facility, event.unit, event.encounter_class
            same = event.effect, event.at, event.cancels_at, *place, event.died
            if same in seen:
                continue
            seen.add(same)
        kept.append(event)
    return kept


def _newest_of_death(ordered: list[RecordedEvent]) -> RecordedEvent | None:
    """The newest event that says whether the patient died; None for none.

    The disposition of a patient who left alive takes back a death that a disposition alone told. It
    counts for nothing against PID-29 and PID-30.
    """
    newest: RecordedEvent | None = None
    alone = False
    for event in ordered:
        if event.died is not None:
            before = newest is not None and newest.died
            alone = event.disposition_says is DispositionSays.DEATH and (alone or not before)
            newest = event
        elif (
            event.disposition_says is DispositionSays.NO_DEATH and newest and newest.died and alone
        ):
            newest = replace(event, died=False)
    return newest


def _apply(spell: _Spell, event: RecordedEvent) -> None:
    match event.effect:
        case Effect.BEGIN | Effect.ADMIT:
            spell.begins.append(event)
            spell.claims.append(event)
        case Effect.MOVE | Effect.UPDATE | Effect.TO_OUTPATIENT | Effect.MOVE_TO_PATIENT:
            spell.claims.append(event)
        case Effect.END:
            spell.ends.append(event)
        case Effect.PLAN:
            spell.planned = True
        case Effect.CANCEL_BEGIN:
            _cancel_begin(spell)
        case Effect.CANCEL_MOVE:
            _cancel_move(spell)
        case Effect.CANCEL_END:
            spell.voided.update(end.event_id for end in spell.ends)
            spell.ends.clear()
            spell.reopened_at = position(event)
            spell.claims.append(_only_death(event))
        case Effect.DELETE:
            _cancel_all(spell)


def _cancel_begin(spell: _Spell) -> None:
    """Cancels the newest begin with its repetitions, and all that was stated since.

    A begin in the same class before an A07 is no repetition: the patient was an outpatient in between.
    """
    if not spell.begins:
        _cancel_all(spell)
        return
    first = newest = spell.begins.pop()
    changes = (position(one) for one in spell.claims if one.effect is Effect.TO_OUTPATIENT)
    changed = max((one for one in changes if one < position(newest)), default="")
    while spell.begins and position(spell.begins[-1]) > changed:
        if spell.begins[-1].encounter_class != newest.encounter_class:
            break
        first = spell.begins.pop()
    if not spell.begins:
        _cancel_all(spell)
        return
    stated = [claim for claim in spell.claims if position(claim) >= position(first)]
    spell.voided.update(event.event_id for event in (*stated, *spell.ends))
    spell.claims = [claim for claim in spell.claims if position(claim) < position(first)]
    spell.ends.clear()


def _cancel_all(spell: _Spell) -> None:
    spell.voided.update(event.event_id for event in (*spell.claims, *spell.ends))
    spell.begins.clear()
    spell.claims.clear()
    spell.ends.clear()
    spell.cancelled = True


def _cancel_move(spell: _Spell) -> None:
    """Cancels the newest transfer with its repetitions, and what updates repeated of it since."""
    moves = [claim for claim in spell.claims if claim.effect is Effect.MOVE]
    if not moves:
        return
    newest = moves[-1]
    gone = [move for move in moves if (move.at, move.facility) == (newest.at, newest.facility)]
    spell.voided |= {move.event_id for move in gone}
    spell.claims = [
        _without_move(claim, newest) if position(claim) > position(gone[0]) else claim
        for claim in spell.claims
        if claim.event_id not in spell.voided
    ]


def _without_move(claim: RecordedEvent, move: RecordedEvent) -> RecordedEvent:
    """An update without the place and the class that it has from a transfer."""
    if claim.effect is not Effect.UPDATE:
        return claim
    same_class = claim.encounter_class == move.encounter_class
    return replace(
        claim,
        facility="" if claim.facility == move.facility else claim.facility,
        encounter_class=EncounterClass.UNKNOWN if same_class else claim.encounter_class,
    )


def _only_death(event: RecordedEvent) -> RecordedEvent:
    """The death statement of a cancelled discharge, whose other statements do not count.

    Without one, it takes back the disposition, and a death that the disposition alone told.
    """
    says = DispositionSays.NO_DEATH if event.died is None else DispositionSays.NOTHING
    return RecordedEvent(
        event_id=event.event_id,
        trigger_event=event.trigger_event,
        effect=event.effect,
        order=event.order,
        at=event.at,
        died=event.died,
        disposition_says=says,
    )


def _situation(spell: _Spell) -> Situation:
    statements = sorted((*spell.claims, *spell.ends), key=position)
    leaving = [event for event in statements if position(event) > spell.reopened_at]
    encounter_class = spell.encounter_class or _last(statements, "encounter_class")
    place, move = _place(spell.claims)
    return Situation(
        phase=_phase(spell),
        facts=Facts(
            encounter_class=EncounterClass(encounter_class),
            facility=place or _last(statements, "facility"),
            attending=any(event.attending for event in statements),
            disposition=_last(leaving, "disposition"),
            discharged_to=_last(leaving, "discharged_to"),
            diagnosed=any(event.diagnosed for event in statements),
        ),
        classes=_classes(spell.claims),
        died=None if spell.cancelled else spell.died,
        since=spell.since,
        begin=_begin(spell),
        move=move,
        end=spell.ends[-1] if spell.ends else None,
        death=_newest_of_death(statements),
        voided=frozenset(spell.voided),
    )


def _phase(spell: _Spell) -> Phase:
    if spell.cancelled:
        return Phase.CANCELLED
    if spell.ends:
        return Phase.LEFT
    if spell.begins:
        return Phase.IN
    return Phase.PLANNED if spell.planned and not spell.claims else Phase.SEEN


def _classes(claims: list[RecordedEvent]) -> tuple[EncounterClass, ...]:
    """The classes in order, without repetitions of the one before."""
    found: list[EncounterClass] = []
    for claim in claims:
        if claim.encounter_class and (not found or found[-1] != claim.encounter_class):
            found.append(claim.encounter_class)
    return tuple(found)


def _begin(spell: _Spell) -> RecordedEvent | None:
    """The event since which the present class holds; None where nothing shows when it began.

    Without an admission or registration, only a change of class shows it.
    """
    present = spell.encounter_class
    since: RecordedEvent | None = None
    for claim in reversed(spell.claims):
        if claim.encounter_class == present:
            since = claim
        elif claim.encounter_class:
            return since
    return since if spell.begins else None


def _place(claims: list[RecordedEvent]) -> tuple[str, RecordedEvent | None]:
    """The present facility, and the newest transfer that changed it."""
    facility, move = "", None
    for claim in claims:
        before = facility or claim.facility_before
        if claim.effect is Effect.MOVE and claim.facility and before not in ("", claim.facility):
            move = claim
        facility = claim.facility or facility
    return facility, move


def _last(events: list[RecordedEvent], name: str) -> str:
    return next((value for event in reversed(events) if (value := getattr(event, name))), "")


def with_event(
    events: tuple[RecordedEvent, ...], event: RecordedEvent, resting: frozenset[str]
) -> tuple[RecordedEvent, ...]:
    """The events with one more, in order; equal updates between two equal ones are left out.

    Events in `resting` are those on which a told fact rests: they stay. Above `MAX_EVENTS` the oldest
    updates go first.
    """
    ordered = sorted((*events, event), key=position)
    kept = [
        one
        for index, one in enumerate(ordered)
        if not (
            0 < index < len(ordered) - 1
            and one.event_id not in resting
            and _same_update(ordered[index - 1], one)
            and _same_update(one, ordered[index + 1])
        )
    ]
    surplus = len(kept) - MAX_EVENTS
    for effect in (Effect.UPDATE, Effect.NONE, Effect.MOVE):
        for one in [e for e in kept[:-1] if e.effect is effect and e.event_id not in resting]:
            if surplus <= 0:
                break
            kept.remove(one)
            surplus -= 1
    return tuple(kept[-MAX_EVENTS:])


def _same_update(one: RecordedEvent, other: RecordedEvent) -> bool:
    if one.effect is not Effect.UPDATE or other.effect is not Effect.UPDATE:
        return False
    return all(getattr(one, name) == getattr(other, name) for name in _STATED)
