"""Applies the notice table to one message, and records the facts that are told. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lambdas.common.clock import iso
from lambdas.common.contracts.encounters.encounter import (
    Audience,
    Change,
    DecisionReason,
    Effect,
    Notice,
    Phase,
    RecordedEvent,
    ToldFact,
)
from lambdas.common.contracts.message.event_kind import ENDS, EventKind
from lambdas.track_encounter import history
from lambdas.track_encounter.history import Situation, position
from lambdas.track_encounter.message import EncounterMessage
from lambdas.track_encounter.notices import BEGIN_KINDS, Draft, drafts
from lambdas.track_encounter.profile import EncounterProfile

ROUNDS = 4
"""Most rows of the notice table that one message may answer at once."""

DETAILING = frozenset({Effect.UPDATE, Effect.END})
"""Effects whose details are told as an update. A late admission tells none."""


@dataclass(slots=True)
class ToldFacts:
    """The told facts of an encounter, and the notices that one message adds to them."""

    message: EncounterMessage
    profile: EncounterProfile
    situation: Situation
    now: datetime
    facts: list[ToldFact]
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
        return tuple(fact for fact in self.facts if not fact.withdrawn_by)

    def _add_what_letters_said(self) -> None:
        """Records the class and the place that every letter gives beside its news."""
        facts, event = self.situation.facts, self.message.event
        kind = BEGIN_KINDS.get(facts.encounter_class)
        if self.situation.phase not in (Phase.IN, Phase.SEEN):
            return
        standing = self._standing()
        if facts.encounter_class and kind and kind not in {fact.kind for fact in standing}:
            self._record(kind, event, silent=False)
        elif standing:
            index = self.facts.index(standing[-1])
            self.facts[index] = replace(standing[-1], facts=facts)

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
        for index, fact in enumerate(self.facts):
            if fact.kind in repeated and not fact.withdrawn_by and since <= fact.order < order:
                self.facts[index] = replace(fact, order=order, rests_on=event.event_id)

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
        self.facts = [
            replace(fact, withdrawn_by=self.message.event.event_id) if id(fact) in gone else fact
            for fact in self.facts
        ]

    def _fact(self, draft: Draft, rests_on: RecordedEvent, first: tuple[Notice, ...]) -> None:
        """Records the draft as told, and gives its notice."""
        notice = self._notice(draft, rests_on.at, first)
        self._record(draft.kind, rests_on, silent=notice is None and not self.notices)

    def _record(self, kind: EventKind, rests_on: RecordedEvent, *, silent: bool) -> None:
        event_id = self.message.event.event_id
        self.facts.append(
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
        self.facts[self.facts.index(fact)] = replace(
            fact,
            facts=self.situation.facts,
            event_ids=(*fact.event_ids, event_id) if notice else fact.event_ids,
        )

    def _new_recipients(self, draft: Draft, first: tuple[Notice, ...]) -> None:
        """Adds a notice of a told fact for recipients who had none, and adds this event to the fact's events."""
        (fact,) = draft.about
        if self.message.event.effect not in DETAILING or not self._notice(draft, fact.at, first):
            return
        event_id = self.message.event.event_id
        for index, one in enumerate(self.facts):
            same = (one.rests_on, one.kind) == (fact.rests_on, fact.kind)
            if same and event_id not in one.event_ids:
                self.facts[index] = replace(one, event_ids=(*one.event_ids, event_id))

    def _notice(self, draft: Draft, at: str, first: tuple[Notice, ...]) -> Notice | None:
        """Adds the notice of a draft. Returns None where none is added; `silence` may hold the reason."""
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
            late=bool(at) and self.now - datetime.fromisoformat(at) > self.profile.late_after,
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
        recorded = min(datetime.fromisoformat(self.message.event.order), self.now)
        until = recorded + timedelta(seconds=self.profile.settle_seconds.get(draft.kind, 0))
        return iso(until) if until > self.now else ""

    def _silenced(self, kind: EventKind, at: str) -> bool:
        if self.message.load or self.profile.load:
            self.silence = DecisionReason.LOAD
            return True
        if at and self.now - datetime.fromisoformat(at) > self.profile.stale(kind):
            self.silence = DecisionReason.STALE_EVENT
            return True
        return False
