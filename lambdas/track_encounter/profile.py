"""The part of a sender's file that the encounter rules read, with the defaults of every sender."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from lambdas.common.contracts.encounters.encounter import Effect, EncounterClass
from lambdas.common.contracts.message.event_kind import EventKind

CLASSES = {
    "B": EncounterClass.INPATIENT,
    "I": EncounterClass.INPATIENT,
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

Obstetrics and short stays count as inpatients. N (not applicable) and U (unknown) say nothing."""

SETTLE_SECONDS: Mapping[EventKind, int] = {
    EventKind.ADMISSION: 60,
    EventKind.OBSERVATION: 60,
    EventKind.TRANSFER: 60,
    EventKind.DISCHARGE: 60,
    EventKind.UPDATE: 60,
}
"""Default of the settling time: seconds for which a notice waits for its first updates.

Notices of a stay in a bed wait equally long, so that none overtakes an earlier one. Notices of the
emergency department and of deaths do not wait (docs/adr/0227-waiting-counts-from-the-event.md)."""

STALE_AFTER = timedelta(days=30)

OBSERVATION_UNITS = frozenset({"OBS", "OBSERVATION"})

CLOSE_AFTER: Mapping[EncounterClass, timedelta] = {
    EncounterClass.EMERGENCY: timedelta(days=5),
    EncounterClass.OBSERVATION: timedelta(days=7),
    EncounterClass.INPATIENT: timedelta(days=120),
    EncounterClass.OUTPATIENT: timedelta(days=120),
    EncounterClass.UNKNOWN: timedelta(days=30),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterProfile:
    """The rules for one sender's messages (docs/configuration.md#keys-of-a-sender).

    `facilities` maps the codes of one facility to one code. Units are PV1-3.1 in upper case.
    `stale_after` is the age from which an event of a kind is told to nobody, `late_after` the age from
    which a notice says that it was received late. `effects` replaces rows of the rule table. `load`:
    encounters are recorded, and no notice is sent.
    """

    name: str
    default_authority: str = ""
    emergency_units: frozenset[str] = frozenset()
    observation_units: frozenset[str] = OBSERVATION_UNITS
    facilities: Mapping[str, str] = field(default_factory=dict)
    effects: Mapping[str, Effect] = field(default_factory=dict)
    stale_after: Mapping[EventKind, timedelta] = field(default_factory=dict)
    late_after: timedelta = timedelta(hours=24)
    settle_seconds: Mapping[EventKind, int] = field(default_factory=lambda: SETTLE_SECONDS)
    close_after: Mapping[EncounterClass, timedelta] = field(default_factory=dict)
    visit_numbers_return_after: timedelta = timedelta(days=180)
    load: bool = False

    def class_of(self, code: str, unit: str) -> EncounterClass:
        """The class of PV1-2, an HL7 code by now (lambdas/parse_message/values/codes.py), and of PV1-3.1."""
        code, unit = code.strip().upper(), unit.strip().upper()
        known = CLASSES.get(code, EncounterClass.UNKNOWN)
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
        return self.stale_after.get(kind, STALE_AFTER)

    def closes_after(self, encounter_class: EncounterClass) -> timedelta:
        """The time after which an encounter of this class without an end is closed."""
        return self.close_after.get(encounter_class, CLOSE_AFTER[encounter_class])


def profile_of(name: str, entry: Mapping[str, Any]) -> EncounterProfile:
    """Returns the profile of a sender from its entry in the configuration document.

    The table `encounters` of the sender's file replaces defaults one by one. `environments` has checked
    it. Raises `ValueError` for an effect, kind or class that this version does not have.
    """
    rules = entry.get("encounters", {})
    classes = {str(one) or "unknown": one for one in EncounterClass}
    return EncounterProfile(
        name=name,
        default_authority=entry.get("default_assigning_authority", ""),
        emergency_units=_units(rules.get("emergency_units", ())),
        observation_units=OBSERVATION_UNITS | _units(rules.get("observation_units", ())),
        facilities={
            code.strip().upper(): known.strip().upper()
            for code, known in entry.get("facilities", {}).items()
        },
        effects={code: Effect(effect) for code, effect in rules.get("effects", {}).items()},
        stale_after=_stale_after(rules.get("stale_after_days", {})),
        settle_seconds=dict(SETTLE_SECONDS)
        | {EventKind(kind): count for kind, count in rules.get("settle_seconds", {}).items()},
        close_after={
            classes[known]: timedelta(days=days)
            for known, days in rules.get("close_after_days", {}).items()
        },
        load=rules.get("load", False),
    )


def _stale_after(days: Mapping[str, int]) -> dict[EventKind, timedelta]:
    """The ages by kind; `any` stands for every kind that is not given."""
    every = dict.fromkeys(EventKind, days["any"]) if "any" in days else {}
    given = {EventKind(kind): age for kind, age in days.items() if kind != "any"}
    return {kind: timedelta(days=age) for kind, age in {**every, **given}.items()}


def _units(codes: Iterable[str]) -> frozenset[str]:
    return frozenset(code.strip().upper() for code in codes)
