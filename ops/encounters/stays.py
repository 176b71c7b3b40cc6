"""Reads stays from the table of encounters, and from the audit who was told."""

from dataclasses import dataclass

from lambdas.common.contracts.encounters.encounter import Decision, Encounter, RecordedEvent
from lambdas.encounters.indexes import due
from lambdas.encounters.store import DueReason
from lambdas.encounters.table import EncounterTable
from lambdas.track_encounter.history import situation_of
from ops.deployment import Deployment
from ops.events.timeline import RecipientTrace
from ops.events.trail import TrailSource

EVER = "9999"
"""Later than every moment of the index."""


@dataclass(frozen=True, slots=True)
class StayEvent:
    """One event of a stay with its decision. `notices` are the kinds that were told, `recipients` who was told.

    `at` is the time of the event, "" where no plausible one was sent; `order` the moment by which the
    events are sorted.
    """

    event_id: str
    trigger_event: str
    encounter_class: str
    at: str
    order: str
    notices: list[str]
    reason: str
    warnings: list[str]
    recipients: list[RecipientTrace]


@dataclass(frozen=True, slots=True)
class StayTimeline:
    """A stay by its events, in the order in which they happened.

    `unchanged` counts updates that said nothing new and are not listed. `protections` are positions.
    """

    encounter_id: str
    sender: str
    phase: str
    encounter_class: str
    closed_at: str
    patient_ref: str
    protections: list[str]
    unchanged: int
    events: list[StayEvent]


@dataclass(frozen=True, slots=True)
class StayWithoutBegin:
    """A stay that only cancellations name (`orphan`), or one in a bed whose admission never came (`unbegun`)."""

    why: DueReason
    encounter_id: str
    sender: str
    trigger_events: list[str]
    newest: str


class StaySource:
    """Reads the stays of one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self._trail = TrailSource(deployment)
        self._context = deployment.encounters
        self._table = EncounterTable(self._context)

    def timeline(self, event_id: str) -> StayTimeline | None:
        """The stay of an event; None for one that was not decided, or that names no stay."""
        decision = self._table.decisions([event_id]).get(event_id)
        encounter = self._encounter(decision) if decision else None
        if encounter is None:
            return None
        decisions = self._table.decisions(one.event_id for one in encounter.events)
        situation = situation_of(encounter.events)
        return StayTimeline(
            encounter_id=encounter.encounter_id,
            sender=encounter.sender,
            phase="closed" if encounter.closed_at else situation.phase,
            encounter_class=situation.facts.encounter_class,
            closed_at=encounter.closed_at,
            patient_ref=encounter.patient_ref,
            protections=list(encounter.protections),
            unchanged=encounter.unchanged,
            events=[self._event(one, decisions.get(one.event_id)) for one in encounter.events],
        )

    def without_begin(self, limit: int) -> list[StayWithoutBegin]:
        """The stays that no message began, at most so many, the newest first."""
        found = [
            self._without_begin(why, key)
            for why in (DueReason.ORPHAN, DueReason.UNBEGUN)
            for key in due(self._context, why, EVER)
        ]
        known = [one for one in found if one]
        return sorted(known, key=lambda one: one.newest, reverse=True)[:limit]

    def _encounter(self, decision: Decision) -> Encounter | None:
        key = decision.encounter_key
        stored = self._table.read("", [key]).encounters.get(key) if key else None
        if stored and stored.encounter.encounter_id == decision.encounter_id:
            return stored.encounter
        return self._table.archived(decision.encounter_id)

    def _event(self, event: RecordedEvent, decision: Decision | None) -> StayEvent:
        told = self._trail.event(event.event_id) if decision and decision.notices else None
        return StayEvent(
            event_id=event.event_id,
            trigger_event=event.trigger_event,
            encounter_class=event.encounter_class,
            at=event.at,
            order=event.order,
            notices=[notice.kind for notice in decision.notices] if decision else [],
            reason=decision.reason or "" if decision else "",
            warnings=list(decision.warnings) if decision else [],
            recipients=told.recipients if told else [],
        )

    def _without_begin(self, why: DueReason, key: str) -> StayWithoutBegin | None:
        stored = self._table.read("", [key]).encounters.get(key)
        if stored is None:
            return None
        encounter = stored.encounter
        return StayWithoutBegin(
            why=why,
            encounter_id=encounter.encounter_id,
            sender=encounter.sender,
            trigger_events=[event.trigger_event for event in encounter.events],
            newest=max(event.order for event in encounter.events),
        )
