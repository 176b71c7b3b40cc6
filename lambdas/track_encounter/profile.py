"""The part of a sender's file that the encounter rules read, with the defaults of every sender."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from lambdas.common.contracts.encounter import Effect, EncounterClass
from lambdas.common.contracts.event_kind import EventKind

CLASSES = {
    "B": EncounterClass.INPATIENT,
    "I": EncounterClass.INPATIENT,
    "N": EncounterClass.INPATIENT,
    "S": EncounterClass.INPATIENT,
    "E": EncounterClass.EMERGENCY,
    "V": EncounterClass.OBSERVATION,
    "OBS": EncounterClass.OBSERVATION,
    "C": EncounterClass.OUTPATIENT,
    "O": EncounterClass.OUTPATIENT,
    "P": EncounterClass.OUTPATIENT,
    "R": EncounterClass.OUTPATIENT,
}
"""HL7 table 0004, and codes that senders add: V and OBS observation, S short stay.

Obstetrics, newborns and short stays count as inpatients."""

SETTLE_SECONDS: Mapping[EventKind, int] = {}
"""How long a notice waits for a first update; none does by default."""

CLOSE_AFTER: Mapping[EncounterClass, timedelta] = {
    EncounterClass.EMERGENCY: timedelta(days=5),
    EncounterClass.OBSERVATION: timedelta(days=7),
    EncounterClass.INPATIENT: timedelta(days=120),
    EncounterClass.OUTPATIENT: timedelta(days=120),
    EncounterClass.UNKNOWN: timedelta(days=30),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterProfile:
    """How one sender's messages are understood.

    `classes` maps PV1-2 codes, `facilities` the codes of one facility to one code. Units are PV1-3.1
    in upper case. `stale_after` is the age from which an event of a kind is told to nobody,
    `late_after` the age from which a notice says that it was received late. `effects` replaces rows
    of the rule table. `load`: encounters are recorded and told to nobody.
    """

    name: str
    default_authority: str = ""
    classes: Mapping[str, EncounterClass] = field(default_factory=dict)
    emergency_units: frozenset[str] = frozenset()
    observation_units: frozenset[str] = frozenset({"OBS", "OBSERVATION"})
    facilities: Mapping[str, str] = field(default_factory=dict)
    effects: Mapping[str, Effect] = field(default_factory=dict)
    stale_after: Mapping[EventKind, timedelta] = field(default_factory=dict)
    late_after: timedelta = timedelta(hours=24)
    settle_seconds: Mapping[EventKind, int] = field(default_factory=lambda: SETTLE_SECONDS)
    close_after: Mapping[EncounterClass, timedelta] = field(default_factory=dict)
    visit_numbers_return_after: timedelta = timedelta(days=180)
    load: bool = False

    def class_of(self, code: str, unit: str) -> EncounterClass:
        """The class of PV1-2 and PV1-3.1, by the sender's table, then by HL7 table 0004."""
        code, unit = code.strip().upper(), unit.strip().upper()
        known = self.classes.get(code, CLASSES.get(code, EncounterClass.UNKNOWN))
        if known in (EncounterClass.OUTPATIENT, EncounterClass.UNKNOWN):
            if unit in self.emergency_units:
                return EncounterClass.EMERGENCY
            if unit in self.observation_units:
                return EncounterClass.OBSERVATION
        return known

    def facility_of(self, code: str) -> str:
        """The one code of a facility, for any of its codes."""
        code = code.strip().upper()
        return self.facilities.get(code, code)

    def stale(self, kind: EventKind) -> timedelta:
        """The age from which an event of this kind is told to nobody; 30 days by default."""
        return self.stale_after.get(kind, timedelta(days=30))

    def closes_after(self, encounter_class: EncounterClass) -> timedelta:
        """The time after which an encounter of this class without an end is closed."""
        return self.close_after.get(encounter_class, CLOSE_AFTER[encounter_class])
