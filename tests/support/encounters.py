"""Messages of one stay for tests of the encounter rules, and a reader who gets every notice."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.encounters.memory import MemoryStore
from lambdas.common.clock import iso
from lambdas.common.contracts.encounters.encounter import (
    Audience,
    Decision,
    DecisionReason,
    Encounter,
    EncounterClass,
    Facts,
    Notice,
    Phase,
    RecordedEvent,
)
from lambdas.common.contracts.message.event_kind import ENDS, EventKind
from lambdas.encounters.keys import EncounterKeys
from lambdas.track_encounter.history import Situation, situation_of
from lambdas.track_encounter.message import EncounterMessage
from lambdas.track_encounter.notices import BEGIN_KINDS, BEGINNINGS
from lambdas.track_encounter.profile import EncounterProfile
from lambdas.track_encounter.tracking import track
from lambdas.track_encounter.triggers import rule_of

MORNING = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
NOON = MORNING + timedelta(hours=24)
"""When the messages are received: a day after the first event, so that nothing is late or settles."""

PROFILE = EncounterProfile(name="NORTHGEN", late_after=timedelta(days=3))

E, I, O, OBS, U = (  # noqa: E741
    EncounterClass.EMERGENCY,
    EncounterClass.INPATIENT,
    EncounterClass.OUTPATIENT,
    EncounterClass.OBSERVATION,
    EncounterClass.UNKNOWN,
)


def message(
    trigger_event: str,
    minutes: int,
    encounter_class: EncounterClass = U,
    event_id: str = "",
    *,
    at: int | None = None,
    recorded: int | None = None,
    received: int | None = None,
    patient: str = "p1",
    prior_patient: str = "",
    visit: str = "v1",
    account: str = "",
    load: bool = False,
    **stated: Any,
) -> EncounterMessage:
    """A message whose event is sorted by so many minutes after eight o'clock, and happened `at` minutes.

    `recorded` is given where it was recorded later, `received` where its receipt matters.
    """
    rule = rule_of(trigger_event)
    order = iso(MORNING + timedelta(minutes=minutes))
    happened = iso(MORNING + timedelta(minutes=minutes if at is None else at))
    keys = EncounterKeys(
        key_id="k1",
        visit=(f"visit#k1.{visit}",) if visit else (),
        account=(f"account#k1.{account}",) if account else (),
        patient=(f"patient#k1.{patient}",) if patient else (),
    )
    return EncounterMessage(
        event=RecordedEvent(
            event_id=event_id or f"{trigger_event}-{minutes}-{encounter_class}",
            trigger_event=trigger_event,
            effect=rule.effect,
            order=order,
            at=happened,
            recorded_at="" if recorded is None else iso(MORNING + timedelta(minutes=recorded)),
            received_at="" if received is None else iso(MORNING + timedelta(minutes=received)),
            encounter_class=encounter_class or rule.default_class,
            **stated,
        ),
        sender=PROFILE.name,
        received_at=iso(NOON),
        keys=keys,
        patient_keys=keys.patient,
        prior_patient_keys=(f"patient#k1.{prior_patient}",) if prior_patient else (),
        load=load,
    )


@dataclass(slots=True)
class MessageReader:
    """A provider of every patient, who reads each notice; `twice` lists facts told a second time."""

    standing: dict[EventKind, tuple[str, ...]] = field(default_factory=dict)
    times: dict[EventKind, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    kinds: list[EventKind] = field(default_factory=list)
    twice: list[EventKind] = field(default_factory=list)
    last: Decision | None = None
    dead: bool = False

    def reads(self, decision: Decision) -> None:
        """Reads the notices of a decision that are for them; there is at most one."""
        mine = [
            notice
            for notice in decision.notices
            if notice.audience is Audience.TEAM
            or (notice.audience is Audience.TOLD) == bool(self.seen & set(notice.about))
        ]
        assert len(mine) <= 1, "one event gives a reader one notice"
        for notice in mine:
            self._read(notice, decision)

    def _read(self, notice: Notice, decision: Decision) -> None:
        kind, about = notice.kind, notice.about
        self.last = decision
        self.seen.add(decision.event_id)
        self.kinds.append(kind)
        if kind in BEGINNINGS | ENDS | {EventKind.TRANSFER}:
            if kind in self.standing and (kind in BEGINNINGS or self.times[kind] == notice.at):
                self.twice.append(kind)
            self.times[kind] = notice.at
            if kind in BEGINNINGS:
                for end in ENDS:
                    self.standing.pop(end, None)
            if kind in ENDS:
                for begin in BEGINNINGS:
                    self.standing.pop(begin, None)
            self.standing[kind] = (decision.event_id,)
        if kind is EventKind.DEATH:
            self.dead = True
        if kind is EventKind.CANCEL_DEATH:
            self.dead = False
        if kind.startswith("cancel") or kind is EventKind.CORRECTION:
            self.standing = {
                k: told for k, told in self.standing.items() if not set(told) & set(about)
            }

    def knows(self, encounter: Encounter | None) -> bool:
        """Whether the last notice gives the right picture of the encounter.

        An outpatient is nobody's news; a reader must only not take them for an inpatient. A place is
        news when a transfer changed it.
        """
        situation = situation_of(encounter.events) if encounter else Situation()
        phase = self.last.phase if self.last else None
        told = self.last.facts if self.last else Facts()
        believed = phase in (Phase.IN, Phase.SEEN) and told.encounter_class not in (O, U)
        there = situation.phase in (Phase.IN, Phase.SEEN) and situation.begin is not None
        if situation.phase is Phase.SEEN:
            return True
        if self.dead or situation.died:
            return self.dead == bool(situation.died)
        if there and situation.facts.encounter_class in (O, U):
            return not believed or told.encounter_class is not I
        if not there or not believed:
            return believed == there
        place = situation.move is None or situation.facts.facility in ("", told.facility)
        now = situation.facts.encounter_class
        return place and (told.encounter_class == now or BEGIN_KINDS[now] in self.standing)


def play(
    messages: Iterable[EncounterMessage], profile: EncounterProfile = PROFILE, now: datetime = NOON
) -> "tuple[MessageReader, list[Decision], Encounter | None]":
    """The reader, the decisions and the encounter `v1` after these messages in this order."""
    store, reader, decisions = MemoryStore(), MessageReader(), []
    for one in messages:
        decision = track(store, one, profile, lambda: now)
        decisions.append(decision)
        reader.reads(decision)
    stored = store.homes.get("visit#k1.v1")
    return reader, decisions, stored.encounter if stored else None


def again(one: EncounterMessage, event_id: str) -> EncounterMessage:
    """The same message under another MSH-10, so another event."""
    return replace(one, event=replace(one.event, event_id=event_id))


ADMITTED = message("A01", 0, I, facility="N", attending=True, diagnosed=True)
DISCHARGED = message("A03", 60, disposition="01")
"""The admission and the discharge of a stay, of which tests vary the rest."""


def last(*messages: EncounterMessage, profile: EncounterProfile = PROFILE) -> Decision:
    """The decision about the last of these messages."""
    return play(messages, profile)[1][-1]


def told(*messages: EncounterMessage) -> list[tuple[str, str]]:
    """Kind and audience of the notices of the last of these messages."""
    return [(str(notice.kind), str(notice.audience)) for notice in last(*messages).notices]


def reason(
    *messages: EncounterMessage, profile: EncounterProfile = PROFILE
) -> DecisionReason | None:
    """The reason for which the last of these messages tells nobody; None where it tells somebody."""
    return last(*messages, profile=profile).reason
