"""Decides what one message means for its encounter. Pure: no clock, no AWS."""

from dataclasses import replace
from datetime import datetime

from lambdas.common.clock import iso
from lambdas.common.contracts.encounters.encounter import (
    Decision,
    DecisionReason,
    Effect,
    Encounter,
    Phase,
    RecordedEvent,
    ToldFact,
)
from lambdas.common.contracts.encounters.protection import StayMarks
from lambdas.common.contracts.message.event_kind import ENDS, EventKind
from lambdas.common.errors import IdentityConflictError
from lambdas.track_encounter import history
from lambdas.track_encounter.history import Situation, situation_of
from lambdas.track_encounter.message import EncounterMessage
from lambdas.track_encounter.notices import BEGINNINGS
from lambdas.track_encounter.profile import EncounterProfile
from lambdas.track_encounter.told_facts import ToldFacts
from lambdas.track_encounter.triggers import CANCELS

QUIET = {
    Effect.NONE: DecisionReason.NOT_A_NOTIFIABLE_EVENT,
    Effect.PLAN: DecisionReason.PLANNED,
    Effect.CANCEL_PLAN: DecisionReason.PLANNED,
    Effect.MERGE_PATIENT: DecisionReason.IDENTITY_CHANGED,
    Effect.CHANGE_NUMBER: DecisionReason.NUMBER_CHANGED,
}
"""Effects that never tell anything, with the reason."""

CANCELLED_KINDS = {
    Effect.CANCEL_BEGIN: BEGINNINGS,
    Effect.CANCEL_MOVE: frozenset({EventKind.TRANSFER}),
    Effect.CANCEL_END: ENDS,
}
"""The kinds of the notices that a cancellation may withdraw."""

PLAIN = {
    Effect.MOVE: DecisionReason.BED_MOVE,
    Effect.UPDATE: DecisionReason.UNCHANGED,
    Effect.MOVE_TO_PATIENT: DecisionReason.IDENTITY_CHANGED,
}
"""Effects that may tell something, with the reason where they do not."""


def decide(
    encounter: Encounter | None, message: EncounterMessage, profile: EncounterProfile, now: datetime
) -> tuple[Encounter | None, Decision]:
    """Returns the encounter after the message, and the decision.

    `encounter` is the one that the message's numbers name, None where there is none. Raises
    `IdentityConflictError` when it belongs to another patient.
    """
    event = message.event
    if encounter is None and event.effect in QUIET and event.effect is not Effect.PLAN:
        decision = _decision(None, Situation(), message, now)
        return None, replace(decision, reason=QUIET[event.effect])
    before = _of_this_patient(encounter, message, profile) or Encounter(
        encounter_id=event.event_id, sender=message.sender, patient_keys=message.patient_keys
    )
    moved = event.effect is Effect.MOVE_TO_PATIENT and not same_patient(before, message)
    after = _with_message(before, message)
    situation = situation_of(after.events)
    decision = _decision(after, situation, message, now)
    if event.effect in QUIET:
        return after, replace(decision, reason=QUIET[event.effect])
    told = ToldFacts(message, profile, situation, now, list(after.told))
    if moved:
        told.move_to_other_patient()
    told.tell_all()
    if told.notices and precedes_its_move(before, message):
        raise IdentityConflictError("PID-3 names the patient from whom the encounter was moved")
    after = replace(after, told=tuple(told.facts))
    if told.notices:
        return after, replace(decision, notices=told.notices)
    reason = told.silence or _reason(before, message)
    if reason is DecisionReason.NO_ENCOUNTER and (message.load or profile.load):
        reason = DecisionReason.LOAD
    return after, replace(decision, reason=reason)


def _of_this_patient(
    encounter: Encounter | None, message: EncounterMessage, profile: EncounterProfile
) -> Encounter | None:
    """The encounter, or None where the number was given to another patient's new encounter.

    That is allowed after a cancellation, and long after the end.
    """
    if encounter is None or same_patient(encounter, message):
        return encounter
    if message.event.effect is Effect.MOVE_TO_PATIENT or precedes_its_move(encounter, message):
        return encounter
    situation = situation_of(encounter.events)
    if situation.phase is Phase.CANCELLED:
        return None
    left = situation.end.at if situation.end else encounter.closed_at
    returns = profile.visit_numbers_return_after
    at = message.event.at
    if left and at and datetime.fromisoformat(at) - datetime.fromisoformat(left) > returns:
        return None
    raise IdentityConflictError("PID-3 names another patient than the encounter's other messages")


def same_patient(encounter: Encounter, message: EncounterMessage) -> bool:
    """Whether a message names the encounter's patient; True where one of them names none."""
    if not encounter.patient_keys or not message.patient_keys:
        return True
    named = set(message.patient_keys)
    if message.event.effect is Effect.MERGE_PATIENT:
        named |= set(message.prior_patient_keys)
    return bool(named & set(encounter.patient_keys))


def precedes_its_move(encounter: Encounter, message: EncounterMessage) -> bool:
    """Whether a message names the patient from whom the encounter was moved, and was recorded before that."""
    if same_patient(encounter, message):
        return False
    event = message.event
    moved_at = [one.order for one in encounter.events if one.effect is Effect.MOVE_TO_PATIENT]
    before = (event.recorded_at or event.order) < max(moved_at, default="")
    return before and bool(set(message.patient_keys) & set(encounter.moved_from))


def _with_message(encounter: Encounter, message: EncounterMessage) -> Encounter:
    """The encounter with the message's event, identifiers and protections."""
    event = message.event
    late = precedes_its_move(encounter, message)
    same = late or same_patient(encounter, message)
    stated = () if late else message.patient_keys
    patient_keys = (*encounter.patient_keys, *stated) if same else stated
    quiet = event.effect in QUIET and event.effect is not Effect.PLAN
    events = encounter.events
    if not quiet:
        resting = frozenset(
            event_id for fact in encounter.told for event_id in (fact.rests_on, *fact.event_ids)
        )
        events = history.with_event(events, event, resting)
    return replace(
        encounter,
        patient_keys=tuple(dict.fromkeys(patient_keys)),
        moved_from=encounter.moved_from if same else encounter.patient_keys,
        patient_ref=encounter.patient_ref if same else "",
        events=events,
        protections=tuple(dict.fromkeys((*encounter.protections, *message.protections))),
        sensitive=tuple(dict.fromkeys((*encounter.sensitive, *message.sensitive))),
        unchanged=encounter.unchanged + len(encounter.events) + 1 - len(events),
        closed_at="" if event.effect in history.BEGINS else encounter.closed_at,
    )


def _reason(before: Encounter, message: EncounterMessage) -> DecisionReason:
    """The reason for which a message tells nobody although its effect may tell."""
    event = message.event
    if any(_repeats(one, event) for one in before.events):
        return DecisionReason.DUPLICATE
    standing = [fact for fact in before.told if not fact.withdrawn_by]
    if event.effect in CANCELS:
        return _reason_of_cancellation(before, event.effect, standing)
    ended = any(fact.kind in ENDS for fact in standing)
    if event.effect is Effect.MOVE and ended:
        return DecisionReason.SUPERSEDED
    if event.effect in PLAIN:
        return PLAIN[event.effect]
    if event.effect in history.BEGINS and standing:
        return DecisionReason.SUPERSEDED if ended else DecisionReason.DUPLICATE
    again = event.effect is Effect.END and ended
    return DecisionReason.DUPLICATE if again else DecisionReason.NOT_A_NOTIFIABLE_EVENT


def _reason_of_cancellation(
    before: Encounter, effect: Effect, standing: list[ToldFact]
) -> DecisionReason:
    if not any(one.effect not in CANCELS for one in before.events):
        return DecisionReason.NO_ENCOUNTER
    told = any(fact.kind in CANCELLED_KINDS.get(effect, ()) for fact in standing)
    return DecisionReason.SUPERSEDED if told else DecisionReason.NOT_TOLD


def _repeats(one: RecordedEvent, event: RecordedEvent) -> bool:
    return one.effect is event.effect and one.at == event.at and one.event_id != event.event_id


def _decision(
    encounter: Encounter | None, situation: Situation, message: EncounterMessage, now: datetime
) -> Decision:
    """The decision of a message, still without notices and without a reason."""
    return Decision(
        event_id=message.event.event_id,
        trigger_event=message.event.trigger_event,
        decided_at=iso(now),
        encounter_id=encounter.encounter_id if encounter else "",
        phase=situation.phase if encounter else None,
        classes=situation.classes,
        facts=situation.facts,
        warnings=message.warnings,
        marks=encounter.marks if encounter else StayMarks(),
    )
