"""The notices that follow when the situation of an encounter differs from what was told.

`NOTICES` is the table: the first row that applies decides. docs/encounters.md is written from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from lambdas.common.contracts.encounters.encounter import (
    Audience,
    Change,
    EncounterClass,
    Phase,
    RecordedEvent,
    ToldFact,
)
from lambdas.common.contracts.message.event_kind import ENDS, EventKind
from lambdas.track_encounter.history import Situation, position

BEGIN_KINDS = {
    EncounterClass.INPATIENT: EventKind.ADMISSION,
    EncounterClass.EMERGENCY: EventKind.ED_REGISTRATION,
    EncounterClass.OBSERVATION: EventKind.OBSERVATION,
    EncounterClass.UNKNOWN: EventKind.REGISTRATION,
}
"""The notice of an encounter's begin; outpatient encounters are told to nobody."""

BEGINNINGS = frozenset(BEGIN_KINDS.values())

CANCEL_KINDS = (
    (frozenset({EventKind.DEATH}), EventKind.CANCEL_DEATH),
    (BEGINNINGS | {EventKind.CORRECTION}, EventKind.CANCEL_ADMISSION),
    (ENDS, EventKind.CANCEL_DISCHARGE),
    (frozenset({EventKind.TRANSFER}), EventKind.CANCEL_TRANSFER),
)
"""The kind of a cancellation, by the weightiest fact that it cancels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A notice before it is decided whether and when it is told.

    `rests_on` is the event that the fact comes from. `withdraws` are the told facts that no longer hold.
    """

    kind: EventKind
    audience: Audience
    rests_on: RecordedEvent | None = None
    about: tuple[ToldFact, ...] = ()
    withdraws: tuple[ToldFact, ...] = ()
    changes: tuple[Change, ...] = ()


Told = tuple[ToldFact, ...]


class NoticeRow(NamedTuple):
    """One row of the table: the case in words, what is told to whom in words, and the function."""

    case: str
    notice: str
    audience: str
    drafts: Callable[[Situation, Told, Told], tuple[Draft, ...]]


def cancelled(situation: Situation, told: Told, earlier: Told) -> tuple[Draft, ...]:
    """A told fact rests on an event that a cancellation cancelled, and no other event upholds it."""
    lost = tuple(
        fact
        for fact in told
        if situation.phase is Phase.CANCELLED
        or (fact.rests_on in situation.voided and not _holds(fact, situation))
    )
    gone = (*(fact for fact in earlier if fact.rests_on in situation.voided), *lost)
    if not gone:
        return ()
    kinds = {fact.kind for fact in gone}
    kind = next(cancel for cancels, cancel in CANCEL_KINDS if kinds & cancels)
    return (Draft(kind=kind, audience=Audience.TOLD, about=gone, withdraws=gone),)


def _holds(fact: ToldFact, situation: Situation) -> bool:
    if fact.kind is EventKind.CORRECTION:
        return True
    if fact.kind is EventKind.DEATH:
        return situation.died is True
    if fact.kind in ENDS:
        return situation.phase is Phase.LEFT
    if fact.kind is EventKind.TRANSFER:
        return situation.facts.facility == fact.facts.facility
    # An event in this class after the cancellation shows that the patient was there, also once they left.
    left_before = situation.end is not None and position(situation.end) < fact.order
    there = situation.phase in (Phase.IN, Phase.SEEN, Phase.LEFT) and not left_before
    return there and fact.kind in {BEGIN_KINDS.get(one) for one in situation.classes}


def death_withdrawn(situation: Situation, told: Told, earlier: Told) -> tuple[Draft, ...]:
    """A death was told and the sender now says that the patient lives."""
    # A spell begins after an earlier one's death only when that death was taken back.
    gone = _of(earlier, EventKind.DEATH)
    if situation.died is False:
        gone += _of(told, EventKind.DEATH)
    if not gone:
        return ()
    return (Draft(kind=EventKind.CANCEL_DEATH, audience=Audience.TOLD, about=gone, withdraws=gone),)


def death(situation: Situation, told: Told, earlier: Told) -> tuple[Draft, ...]:
    """The patient died, and that was not told."""
    if situation.died is not True or situation.phase is Phase.CANCELLED:
        return ()
    if _of(told, EventKind.DEATH):
        return ()
    return (Draft(kind=EventKind.DEATH, audience=Audience.TEAM, rests_on=situation.death),)


def no_longer_inpatient(situation: Situation, told: Told, earlier: Told) -> tuple[Draft, ...]:
    """An admission was told, and the encounter is no inpatient encounter any more."""
    gone = _of(told, EventKind.ADMISSION)
    known = situation.facts.encounter_class
    if not gone or situation.phase is Phase.CANCELLED:
        return ()
    if known in (EncounterClass.INPATIENT, EncounterClass.UNKNOWN):
        return ()
    return (
        Draft(
            kind=EventKind.CORRECTION,
            audience=Audience.TOLD,
            rests_on=situation.begin,
            about=gone,
            withdraws=gone,
            changes=(Change.CLASS,),
        ),
    )


def ended(situation: Situation, told: Told, earlier: Told) -> tuple[Draft, ...]:
    """The patient left, and that was not told."""
    if situation.phase is not Phase.LEFT or any(fact.kind in ENDS for fact in told):
        return ()
    known = situation.facts.encounter_class
    begun = tuple(f for f in told if f.kind in BEGINNINGS or f.kind is EventKind.CORRECTION)
    emergency = known is EncounterClass.EMERGENCY or (
        known is EncounterClass.OUTPATIENT and EncounterClass.EMERGENCY in situation.classes
    )
    kind = EventKind.ED_DISCHARGE if emergency else EventKind.DISCHARGE
    if known is EncounterClass.OUTPATIENT and not begun and not emergency:
        return ()
    to_told = known in (EncounterClass.OBSERVATION, EncounterClass.OUTPATIENT) and bool(begun)
    audience, about = (Audience.TOLD, begun) if to_told else (Audience.TEAM, ())
    return (Draft(kind=kind, audience=audience, rests_on=situation.end, about=about),)


def begun(situation: Situation, told: Told, earlier: Told) -> tuple[Draft, ...]:
    """The patient is there, and the begin in this class was not told."""
    kind = BEGIN_KINDS.get(situation.facts.encounter_class)
    present = situation.phase in (Phase.IN, Phase.SEEN)
    if kind is None or not present or situation.begin is None or _of(told, kind):
        return ()
    if kind is EventKind.REGISTRATION and any(fact.kind in BEGINNINGS for fact in told):
        return ()
    return (Draft(kind=kind, audience=Audience.TEAM, rests_on=situation.begin),)


def transferred(situation: Situation, told: Told, earlier: Told) -> tuple[Draft, ...]:
    """The patient was moved to another facility, and that was not told."""
    facility = situation.facts.facility
    present = situation.phase in (Phase.IN, Phase.SEEN)
    if not present or situation.move is None or situation.move.facility != facility:
        return ()
    if situation.facts.encounter_class is EncounterClass.OUTPATIENT:
        return ()
    if told and told[-1].facts.facility == facility:
        return ()
    return (Draft(kind=EventKind.TRANSFER, audience=Audience.TEAM, rests_on=situation.move),)


def detailed(situation: Situation, told: Told, earlier: Told) -> tuple[Draft, ...]:
    """The newest told fact lacked a detail that is known now."""
    if not told or situation.phase not in (Phase.IN, Phase.LEFT):
        return ()
    newest = told[-1]
    changes = _changes(situation, newest)
    if not changes:
        return ()
    update = Draft(kind=EventKind.UPDATE, audience=Audience.TOLD, about=(newest,), changes=changes)
    if newest.kind is EventKind.CORRECTION:
        return (update,)
    event = Draft(kind=newest.kind, audience=Audience.UNTOLD, about=(newest,), changes=changes)
    return update, event


def _changes(situation: Situation, newest: ToldFact) -> tuple[Change, ...]:
    now, then = situation.facts, newest.facts
    changes = []
    if now.attending and not then.attending:
        changes.append(Change.ATTENDING)
    if now.diagnosed and not then.diagnosed:
        changes.append(Change.DIAGNOSIS)
    if newest.kind in ENDS - {EventKind.DEATH}:
        if now.disposition not in ("", then.disposition):
            changes.append(Change.DISPOSITION)
        if now.discharged_to not in ("", then.discharged_to):
            changes.append(Change.DESTINATION)
    return tuple(changes)


def _of(told: Told, kind: EventKind) -> Told:
    return tuple(fact for fact in told if fact.kind is kind)


NOTICES = (
    NoticeRow(
        "The patient died: PID-30, or a disposition that is a death",
        "death",
        "the patient's providers",
        death,
    ),
    NoticeRow(
        "A death was told, and the sender says that the patient lives",
        "cancellation of the death",
        "exactly those who were told",
        death_withdrawn,
    ),
    NoticeRow(
        "A cancellation cancelled an event whose fact was told",
        "cancellation of the admission, discharge, transfer or death",
        "exactly those who were told",
        cancelled,
    ),
    NoticeRow(
        "An admission was told, and the class is observation, outpatient or emergency now",
        "correction: no inpatient",
        "exactly those who were told",
        no_longer_inpatient,
    ),
    NoticeRow(
        "The patient left",
        "discharge; discharge from the emergency department",
        "the patient's providers; of observation or an outpatient those who were told of the begin",
        ended,
    ),
    NoticeRow(
        "The patient is there in a class that was not told",
        "admission, observation, emergency visit, registration (class not given)",
        "the patient's providers",
        begun,
    ),
    NoticeRow(
        "The patient was moved to another facility",
        "transfer",
        "the patient's providers",
        transferred,
    ),
    NoticeRow(
        "The attending doctor, the first diagnosis, the disposition or the destination came later",
        "update; the event itself",
        "update: those who were told; event: providers who were not told",
        detailed,
    ),
)


def drafts(situation: Situation, facts: Told) -> tuple[Draft, ...]:
    """The notices of the first row that applies; () when everything was told.

    `facts` are those that were told and not withdrawn, in the order in which they were told.
    """
    told = tuple(fact for n, fact in enumerate(facts) if _is_present(fact, facts[n:], situation))
    earlier = tuple(fact for fact in facts if fact not in told)
    return next((found for row in NOTICES if (found := row.drafts(situation, told, earlier))), ())


def _is_present(fact: ToldFact, later: Told, situation: Situation) -> bool:
    """Whether a fact is what its readers believe of the present spell.

    An end belongs to its spell. A begin is believed until an end was told after it.
    """
    if fact.kind in ENDS:
        return fact.order >= situation.since
    return not any(one.kind in ENDS and one.order < situation.since for one in later)
