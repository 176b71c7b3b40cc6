"""The messages of several hospitals, in the order of arrival: with updates, resends and late arrivals."""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from lambdas.common.clock import iso
from lambdas.common.contracts.encounters.encounter import EncounterClass, RecordedEvent
from lambdas.encounters.keys import EncounterKeys
from lambdas.track_encounter.message import EncounterMessage
from lambdas.track_encounter.triggers import rule_of

START = datetime(2026, 11, 1, tzinfo=UTC)

RESENT, LATE = 0.03, 0.05
"""Shares of messages that are sent again under another MSH-10, and that arrive up to two hours late."""

EMERGENCY, INPATIENT, OUTPATIENT = (
    EncounterClass.EMERGENCY,
    EncounterClass.INPATIENT,
    EncounterClass.OUTPATIENT,
)


@dataclass(slots=True)
class Hospitals:
    """Generates messages; `seed` makes a run repeatable. `counts` are those of trigger events."""

    hospitals: int = 10
    seed: int = 1
    visits: Iterator[int] = field(default_factory=count)
    ids: Iterator[int] = field(default_factory=count)

    def messages(self) -> Iterator[EncounterMessage]:
        """Messages without end; `received_at` rises."""
        chance = random.Random(self.seed)
        waiting: list[tuple[datetime, int, EncounterMessage]] = []
        for moment in _arrivals(chance, self.hospitals):
            while waiting and waiting[0][0] <= moment:
                arrives, _, message = heapq.heappop(waiting)
                yield replace(message, received_at=iso(arrives))
            for recorded, message in self._visit(chance, moment):
                for arrives, one in self._sent(chance, recorded, message):
                    heapq.heappush(waiting, (arrives, next(self.ids), one))

    def _sent(
        self, chance: random.Random, recorded: datetime, message: EncounterMessage
    ) -> Iterator[tuple[datetime, EncounterMessage]]:
        late = timedelta(minutes=chance.uniform(1, 120) if chance.random() < LATE else 0)
        yield recorded + late, message
        if chance.random() < RESENT:
            event = replace(message.event, event_id=f"{message.event.event_id}-again")
            yield recorded + late + timedelta(minutes=5), replace(message, event=event)

    def _visit(
        self, chance: random.Random, began: datetime
    ) -> Iterator[tuple[datetime, EncounterMessage]]:
        """The messages of one visit, each with the moment at which it was recorded."""
        number = next(self.visits)
        sender = f"HOSPITAL{number % self.hospitals}"
        moment = began
        for step in _story(chance):
            moment += timedelta(minutes=step[2] * chance.uniform(0.5, 1.5))
            yield moment, _message(sender, number, step, moment)


Step = tuple[str, EncounterClass, float, dict[str, Any]]


def _story(chance: random.Random) -> list[Step]:
    """The events of one visit: a clinic visit, an emergency visit, or an inpatient stay."""
    kind = chance.random()
    if kind < 0.35:
        return [
            ("A04", OUTPATIENT, 0, {}),
            ("A08", OUTPATIENT, 10, {}),
            ("A03", OUTPATIENT, 60, {}),
        ]
    steps: list[Step] = []
    if kind < 0.8:
        steps.append(("A04", EMERGENCY, 0, {}))
        steps += [("A08", EMERGENCY, 15, {}) for _ in range(chance.randint(1, 6))]
        if chance.random() < 0.7:
            return _end(chance, [*steps, ("A03", EMERGENCY, 120, {"disposition": "01"})])
        steps.append((chance.choice(["A06", "A01", "A08"]), INPATIENT, 60, {"attending": True}))
    else:
        steps.append(("A01", INPATIENT, 0, {"attending": chance.random() < 0.8}))
    if chance.random() < 0.02:
        return [*steps, ("A11", INPATIENT, 20, {})]
    if chance.random() < 0.03:
        return [*steps, ("A07", OUTPATIENT, 240, {}), ("A03", OUTPATIENT, 120, {})]
    # A storm of updates, as a change of the insurance or of the allergy list sends them.
    storm = chance.randint(1, 4) if chance.random() < 0.9 else chance.randint(20, 60)
    steps += [("A08", INPATIENT, 90, {"attending": True}) for _ in range(storm)]
    steps += [("A02", INPATIENT, 300, {"unit": f"W{ward}"}) for ward in range(chance.randint(0, 3))]
    if chance.random() < 0.05:
        steps.append(("A02", INPATIENT, 300, {"facility": "EAST"}))
    end = {"disposition": "20", "died": True} if chance.random() < 0.02 else {"disposition": "01"}
    return _end(chance, [*steps, ("A03", INPATIENT, 1440, end)])


def _end(chance: random.Random, steps: list[Step]) -> list[Step]:
    """The steps, some without their discharge, some with one that is taken back and sent again."""
    fate = chance.random()
    if fate < 0.02:
        return steps[:-1]
    if fate < 0.05:
        trigger, encounter_class, _, stated = steps[-1]
        again = {**stated, "disposition": "03", "discharged_to": "SNF77"}
        back = {"died": False} if stated.get("died") else {}
        return [*steps, ("A13", encounter_class, 30, back), (trigger, encounter_class, 600, again)]
    return steps


def _message(sender: str, number: int, step: Step, moment: datetime) -> EncounterMessage:
    trigger, encounter_class, _, stated = step
    rule = rule_of(trigger)
    recorded = iso(moment)
    names_place = trigger not in ("A08", "A11", "A13")
    facts: dict[str, Any] = {**({"facility": "MAIN"} if names_place else {}), **stated}
    patient = f"patient#k1.{sender}.{number // 3}"
    return EncounterMessage(
        event=RecordedEvent(
            event_id=f"{number}-{trigger}-{recorded}",
            trigger_event=trigger,
            effect=rule.effect,
            order=recorded,
            at=recorded,
            encounter_class=encounter_class,
            **facts,
        ),
        sender=sender,
        received_at=recorded,
        keys=EncounterKeys(
            key_id="k1",
            visit=(f"visit#k1.{sender}.{number}",),
            account=(f"account#k1.{sender}.{number}",),
            patient=(patient,),
        ),
        patient_keys=(patient,),
    )


def _arrivals(chance: random.Random, hospitals: int) -> Iterator[datetime]:
    """Patients arrive every ten minutes at each hospital, at random."""
    moment = START
    while True:
        moment += timedelta(minutes=chance.expovariate(hospitals / 10))
        yield moment
