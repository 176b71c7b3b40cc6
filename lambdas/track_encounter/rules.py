"""Decides what one message means for its encounter. Pure: no clock, no AWS."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lambdas.common.clock import iso
from lambdas.common.contracts.encounter import (
    Audience,
    Change,
    Decision,
    DecisionReason,
    Effect,
    Encounter,
    Notice,
    Phase,
    RecordedEvent,
    ToldFact,
)
from lambdas.common.contracts.event_kind import EventKind
from lambdas.common.contracts.protection import StayMarks
from lambdas.common.errors import IdentityConflictError
from lambdas.track_encounter import history
from lambdas.track_encounter.history import Situation, position, situation_of
from lambdas.track_encounter.message import EncounterMessage
from lambdas.track_encounter.notices import BEGIN_KINDS, BEGINNINGS, ENDS, Draft, drafts
from lambdas.track_encounter.profile import EncounterProfile
from lambdas.track_encounter.triggers import CANCELS

ROUNDS = 4
"""Most rows of the notice table that one message may answer at once."""

QUIET = {
    Effect.NONE: DecisionReason.NOT_A_NOTIFIABLE_EVENT,
    Effect.PLAN: DecisionReason.PLANNED,
    Effect.CANCEL_PLAN: DecisionReason.PLANNED,
    Effect.MERGE_PATIENT: DecisionReason.IDENTITY_CHANGED,
    Effect.CHANGE_NUMBER: DecisionReason.NUMBER_CHANGED,
}
"""Effects that never tell anything, with the reason."""

DETAILING = frozenset({Effect.UPDATE, Effect.END})
"""Effects whose details are told as an update. A late admission tells none."""

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
    moved = event.effect is Effect.MOVE_TO_PATIENT and not _same_patient(before, message)
    after = _with_message(before, message)
    situation = situation_of(after.events)
    decision = _decision(after, situation, message, now)
    if event.effect in QUIET:
        return after, replace(decision, reason=QUIET[event.effect])
    telling = _Telling(message, profile, situation, now, list(after.told))
    if moved:
        telling.move_to_other_patient()
    telling.tell_all()
    after = replace(after, told=tuple(telling.told))
    if telling.notices:
        return after, replace(decision, notices=telling.notices)
    reason = telling.silence or _reason(before, message)
    if reason is DecisionReason.NO_ENCOUNTER and (message.load or profile.load):
        reason = DecisionReason.LOAD
    return after, replace(decision, reason=reason)


def _of_this_patient(
    encounter: Encounter | None, message: EncounterMessage, profile: EncounterProfile
) -> Encounter | None:
    """The encounter, or None where the number was given to another patient's new encounter.

    That is allowed after a cancellation, and long after the end.
    """
    if encounter is None or _same_patient(encounter, message):
        return encounter
    if message.event.effect is Effect.MOVE_TO_PATIENT:
        return encounter
    situation = situation_of(encounter.events)
    if situation.phase is Phase.CANCELLED:
        return None
    left = situation.end.at if situation.end else encounter.closed_at
    returns = profile.visit_numbers_return_after
    if left and message.event.at and _moment(message.event.at) - _moment(left) > returns:
        return None
    raise IdentityConflictError("PID-3 names another patient than the encounter's other messages")


def _same_patient(encounter: Encounter, message: EncounterMessage) -> bool:
    """Whether a message names the encounter's patient; True where one of them names none."""
    if not encounter.patient_keys or not message.patient_keys:
        return True
    named = set(message.patient_keys)
    if message.event.effect is Effect.MERGE_PATIENT:
        named |= set(message.prior_patient_keys)
    return bool(named & set(encounter.patient_keys))


def _with_message(encounter: Encounter, message: EncounterMessage) -> Encounter:
    """The encounter with the message's event, identifiers and protections."""
    event = message.event
    same = _same_patient(encounter, message)
    patient_keys = (
        (*encounter.patient_keys, *message.patient_keys) if same else message.patient_keys
    )
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
        patient_ref=encounter.patient_ref if same else "",
        events=events,
        protections=tuple(dict.fromkeys((*encounter.protections, *message.protections))),
        sensitive=tuple(dict.fromkeys((*encounter.sensitive, *message.sensitive))),
        unchanged=encounter.unchanged + len(encounter.events) + 1 - len(events),
        closed_at="" if event.effect in history.BEGINS else encounter.closed_at,
    )


@dataclass(slots=True)
class _Telling:
    """The notices of one message, and the told facts after them."""

    message: EncounterMessage
    profile: EncounterProfile
    situation: Situation
    now: datetime
    told: list[ToldFact]
    notices: "tuple[Notice, ...]" = ()
    silence: DecisionReason | None = None

    def tell_all(self) -> None:
        """Applies the notice table until everything is told, with one notice for each recipient.

        The first row decides the kind. Its letter says what holds now, so that the rows after it are
        told only to those who do not get it.
        """
        for _ in range(ROUNDS):
            found = drafts(self.situation, self._standing())
            if not found:
                break
            first = self.notices
            for draft in found:
                self._apply(draft, first)
        self._renew()
        if self.notices:
            self._add_what_letters_said()

    def move_to_other_patient(self) -> None:
        """Corrects everything that was told: it was told of the wrong patient."""
        standing = self._standing()
        if standing:
            correction = Draft(
                kind=EventKind.CORRECTION,
                audience=Audience.TOLD,
                about=standing,
                withdraws=standing,
                changes=(Change.PATIENT,),
            )
            self._withdraw(correction)
            self._notice(correction, self.message.event.at, ())

    def _standing(self) -> tuple[ToldFact, ...]:
        return tuple(fact for fact in self.told if not fact.withdrawn_by)

    def _add_what_letters_said(self) -> None:
        """Records the class and the place that every letter gives beside its news."""
        facts, event = self.situation.facts, self.message.event
        kind = BEGIN_KINDS.get(facts.encounter_class)
        if self.situation.phase not in (Phase.IN, Phase.SEEN):
            return
        standing = [fact for fact in self.told if not fact.withdrawn_by]
        if facts.encounter_class and kind and kind not in {fact.kind for fact in standing}:
            self._record(kind, event, silent=False)
        elif standing:
            index = self.told.index(standing[-1])
            self.told[index] = replace(standing[-1], facts=facts)

    def _renew(self) -> None:
        """Lets a told fact rest on its newest repetition, whatever arrives late from between them."""
        event, phase = self.message.event, self.situation.phase
        repeated: set[EventKind] = set()
        if event.effect in history.BEGINS and phase is Phase.IN:
            repeated |= {kind for kind in (BEGIN_KINDS.get(event.encounter_class),) if kind}
        if event.effect is Effect.END and phase is Phase.LEFT:
            repeated |= ENDS - {EventKind.DEATH}
        if event.died and self.situation.died:
            repeated.add(EventKind.DEATH)
        since, order = self.situation.since, position(event)
        for index, fact in enumerate(self.told):
            if fact.kind in repeated and not fact.withdrawn_by and since <= fact.order < order:
                self.told[index] = replace(fact, order=order, rests_on=event.event_id)

    def _apply(self, draft: Draft, first: tuple[Notice, ...]) -> None:
        self._withdraw(draft)
        if draft.kind is EventKind.UPDATE:
            self._update(draft, first)
        elif draft.audience is Audience.UNTOLD:
            self._new_recipients(draft, first)
        elif draft.rests_on is not None:
            self._fact(draft, draft.rests_on, first)
        else:
            self._notice(draft, self.message.event.at, first)

    def _withdraw(self, draft: Draft) -> None:
        gone = {id(fact) for fact in draft.withdraws}
        self.told = [
            replace(fact, withdrawn_by=self.message.event.event_id) if id(fact) in gone else fact
            for fact in self.told
        ]

    def _fact(self, draft: Draft, rests_on: RecordedEvent, first: tuple[Notice, ...]) -> None:
        """Records the draft as told, and gives its notice."""
        notice = self._notice(draft, rests_on.at, first)
        self._record(draft.kind, rests_on, silent=notice is None and not self.notices)

    def _record(self, kind: EventKind, rests_on: RecordedEvent, *, silent: bool) -> None:
        event_id = self.message.event.event_id
        self.told.append(
            ToldFact(
                event_ids=(event_id,),
                kind=kind,
                rests_on=rests_on.event_id,
                order=position(rests_on),
                at=rests_on.at,
                told_at=iso(self.now),
                facts=self.situation.facts,
                silent=silent,
            )
        )

    def _update(self, draft: Draft, first: tuple[Notice, ...]) -> None:
        """Gives the update. A notice that still waits shows its details (LookupIdentities)."""
        (fact,) = draft.about
        event_id = self.message.event.event_id
        brings = self.message.event.effect in DETAILING
        notice = self._notice(draft, self.message.event.at, first) if brings else None
        self.told[self.told.index(fact)] = replace(
            fact,
            facts=self.situation.facts,
            event_ids=(*fact.event_ids, event_id) if notice else fact.event_ids,
        )

    def _new_recipients(self, draft: Draft, first: tuple[Notice, ...]) -> None:
        """Tells the event itself to recipients who were not told of it."""
        (fact,) = draft.about
        brings = self.message.event.effect in DETAILING
        if brings and self._notice(draft, fact.at, first):
            self._add_event(fact)

    def _add_event(self, fact: ToldFact) -> None:
        """Adds this event to those that told a fact."""
        event_id = self.message.event.event_id
        for index, one in enumerate(self.told):
            same = (one.rests_on, one.kind) == (fact.rests_on, fact.kind)
            if same and event_id not in one.event_ids:
                self.told[index] = replace(one, event_ids=(*one.event_ids, event_id))

    def _notice(self, draft: Draft, at: str, first: tuple[Notice, ...]) -> Notice | None:
        """Adds the notice of a draft; None, with the reason, where nobody is told."""
        about = tuple(
            dict.fromkeys(
                event_id for fact in draft.about if not fact.silent for event_id in fact.event_ids
            )
        )
        audience = draft.audience
        if first and audience is Audience.TEAM:
            about = tuple(dict.fromkeys(event_id for notice in first for event_id in notice.about))
            if not about:
                return None
            audience = Audience.UNTOLD
        if self._silenced(draft.kind, at):
            return None
        if first and audience is Audience.TOLD:
            self._widen(about)
            return None
        if audience is not Audience.TEAM and not about:
            self.silence = self.silence or DecisionReason.NOT_TOLD
            return None
        notice = Notice(
            kind=draft.kind,
            audience=audience,
            about=about,
            at=at,
            late=bool(at) and self.now - _moment(at) > self.profile.late_after,
            settle_until=self._settle_until(draft, audience),
            changes=draft.changes,
        )
        self.notices = (*self.notices, notice)
        return notice

    def _widen(self, about: tuple[str, ...]) -> None:
        """Tells the first notice also to those who were told of these events."""
        notice, *others = self.notices
        if notice.audience is Audience.TOLD:
            wider = replace(notice, about=tuple(dict.fromkeys((*notice.about, *about))))
            self.notices = (wider, *others)

    def _settle_until(self, draft: Draft, audience: Audience) -> str:
        """Until when the notice waits for a first update; "" when it does not.

        The time counts from the event, so that a backlog is not held up once more. Nothing is
        withdrawn late.
        """
        if audience is not Audience.TEAM and draft.kind is not EventKind.UPDATE:
            return ""
        recorded = min(_moment(self.message.event.order), self.now)
        until = recorded + timedelta(seconds=self.profile.settle_seconds.get(draft.kind, 0))
        return iso(until) if until > self.now else ""

    def _silenced(self, kind: EventKind, at: str) -> bool:
        if self.message.load or self.profile.load:
            self.silence = DecisionReason.LOAD
            return True
        if at and self.now - _moment(at) > self.profile.stale(kind):
            self.silence = DecisionReason.STALE_EVENT
            return True
        return False


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


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
