"""Reads from a parsed message the facts that the encounter rules need, with the sender's profile."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from hl7.death import Evidence, of_indicator
from hl7.er7 import NULL
from lambdas.common.clock import iso
from lambdas.common.contracts.encounters.encounter import DispositionSays, Effect, RecordedEvent
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.patient import Patient
from lambdas.common.contracts.message.visit import Visit
from lambdas.common.errors import UnprocessableMessageError
from lambdas.common.keys import KeyRing
from lambdas.common.plausible import is_plausible
from lambdas.encounters.keys import EncounterKeys, references
from lambdas.track_encounter.message import EncounterMessage
from lambdas.track_encounter.profile import EncounterProfile
from lambdas.track_encounter.triggers import CANCELS, TriggerRule, rule_of

IMPLAUSIBLE_TIME = "implausible_time"
CONTRADICTING_DEATH = "contradicting_death"

NOT_DEAD = frozenset({"N", "NO", "0", "FALSE"})
"""PID-30 (table 0136) of a living patient."""


def encounter_message(
    event: PatientEvent, profile: EncounterProfile, ring: KeyRing, received_at: str
) -> EncounterMessage:
    """Returns the message as the rules read it.

    `received_at` is the receiver's time (ISO 8601). Identifiers without an authority get the sender's
    default; prior ones without a default that of the surviving one.
    """
    rule, numbers = rule_of(event.trigger_event, profile.effects), event.numbers
    times = _Times(event, received_at)
    own = [
        (
            profile.name,
            one.assigning_authority or one.universal_id or profile.default_authority,
            one.value,
        )
        for one in event.patient.identifiers[:4]
    ]
    # MRG-1 often has no authority beside a PID-3 that names one: both are of one domain (IHE ITI-30).
    of_prior = profile.default_authority or next((authority for _, authority, _ in own), "")
    prior = [
        (profile.name, authority or of_prior, value) for value, authority in numbers.prior_patient
    ]
    recorded = _recorded(event, rule, profile, times)
    return EncounterMessage(
        event=recorded,
        sender=profile.name,
        received_at=received_at,
        keys=EncounterKeys(
            key_id=ring.current,
            visit=references(ring, "visit", _owned(profile, numbers.visit)),
            account=references(ring, "account", _owned(profile, numbers.account)),
            patient_time=references(ring, "patient_time", times.with_admission(own)),
            patient=references(ring, "patient", own),
        ),
        prior_keys=EncounterKeys(
            visit=references(ring, "visit", _owned(profile, numbers.prior_visit)),
            account=references(ring, "account", _owned(profile, numbers.prior_account)),
        ),
        patient_keys=references(ring, "patient", own),
        prior_patient_keys=references(ring, "patient", prior),
        protections=numbers.protections,
        sensitive=numbers.sensitive,
        load=numbers.load,
        warnings=tuple(dict.fromkeys(times.warnings)),
    )


def further_messages(
    event: PatientEvent, profile: EncounterProfile, ring: KeyRing, received_at: str
) -> list[EncounterMessage]:
    """The further groups of a merge or change of numbers, each as an event of its own that tells nobody.

    Raises `UnprocessableMessageError` for a move of several stays: an event has the notices of one.
    """
    effect = rule_of(event.trigger_event, profile.effects).effect
    if event.further and effect is Effect.MOVE_TO_PATIENT:
        raise UnprocessableMessageError(
            "MRG: the message moves several stays; one message for each"
        )
    if effect not in (Effect.MERGE_PATIENT, Effect.CHANGE_NUMBER):
        return []
    groups = [
        replace(
            event,
            event_id=f"{event.event_id}.{number}",
            patient=Patient(group.identifiers),
            visit=Visit(),
            practitioners=(),
            diagnoses=(),
            numbers=group.numbers,
            death=None,
        )
        for number, group in enumerate(event.further, 2)
    ]
    return [encounter_message(group, profile, ring, received_at) for group in groups]


def _owned(profile: EncounterProfile, values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(profile.name, value) for value in values]


def _recorded(
    event: PatientEvent, rule: TriggerRule, profile: EncounterProfile, times: "_Times"
) -> RecordedEvent:
    visit = event.visit
    at, source = times.of_event(rule)
    recorded = times.order()
    order = recorded if rule.effect in CANCELS else times.order(event.occurred_at)
    encounter_class = profile.class_of(visit.patient_class, visit.location.unit)
    return RecordedEvent(
        event_id=event.event_id,
        trigger_event=event.trigger_event,
        effect=rule.effect,
        order=order,
        at=at,
        recorded_at=recorded if recorded > order else "",
        received_at=times.received_at,
        time_source=source,
        cancels_at=times.occurred() if rule.effect in CANCELS else "",
        encounter_class=encounter_class or rule.default_class,
        facility=profile.facility_of(visit.location.facility),
        unit=visit.location.unit.strip().upper(),
        facility_before=profile.facility_of(visit.prior_location.facility),
        attending=any(one.role in ("attending", "admitting") for one in event.practitioners),
        disposition=visit.disposition.code.strip(),
        discharged_to=visit.discharged_to.strip(),
        diagnosed=bool(event.diagnoses),
        died=_died(event, times),
        disposition_says=_disposition_says(event, rule),
    )


def _died(event: PatientEvent, times: "_Times") -> bool | None:
    """Whether the message says that the patient died; None where it does not say or contradicts itself.

    ParseMessage weighs PID-29, PID-30 and PV1-36. A date of death more than a day before the encounter
    contradicts it. HL7's null deletes PID-30, but senders also write it for "no value": beside a
    disposition of a patient who left alive it says that the patient lives.
    """
    clear = event.death is Evidence.CLEAR
    if event.death is Evidence.UNCLEAR or (clear and times.died_long_before()):
        times.warnings.append(CONTRADICTING_DEATH)
        return None
    if clear:
        return True
    said, left_alive = event.numbers.said_dead, event.death is Evidence.AGAINST
    return False if said in NOT_DEAD or (said == NULL and left_alive) else None


def _disposition_says(event: PatientEvent, rule: TriggerRule) -> DispositionSays:
    """The statement of PV1-36, where PID-29 and PID-30 make none."""
    if event.death is Evidence.AGAINST and rule.effect in (Effect.END, Effect.UPDATE):
        return DispositionSays.NO_DEATH
    by_patient = event.patient.died_at or of_indicator(event.numbers.said_dead) is Evidence.CLEAR
    alone = event.death is Evidence.CLEAR and not by_patient
    return DispositionSays.DEATH if alone else DispositionSays.NOTHING


class _MessageTime(NamedTuple):
    """A time of the message in UTC, its field, and whether it has a time of day."""

    moment: str
    source: str
    exact: bool


class _Times:
    """The times of one message in UTC; those that cannot be true are left out, with a warning."""

    def __init__(self, event: PatientEvent, received_at: str) -> None:
        self.event = event
        self.received_at = iso(datetime.fromisoformat(received_at))
        self.warnings: list[str] = []

    def of_event(self, rule: TriggerRule) -> tuple[str, str]:
        """The time of the event and its field: EVN-6, PV1-44 or PV1-45, EVN-2, MSH-7; ("", "") for none.

        A date without a time of day is left to a later field of the same day.
        """
        found = [
            _MessageTime(moment, source, "T" in text)
            for text, source in self._sources(rule)
            if (moment := self.moment(text))
        ]
        for time in found:
            if time.exact:
                return time.moment, time.source
            day = time.moment[:10]
            exact = next((one for one in found if one.exact and one.moment[:10] == day), time)
            return exact.moment, exact.source
        return "", ""

    def order(self, *occurred: str) -> str:
        """The moment by which the event is sorted: EVN-6 if given, EVN-2, MSH-7, or the time of receipt.

        A time without seconds is completed by the fields after it and at last by the receipt: an
        admission, its cancellation and the next admission may have the same minute. No event happened
        after its receipt.
        """
        sources = [*occurred, self.event.recorded_at, self.event.message_time]
        received = datetime.fromisoformat(self.received_at)
        sent = _parsed(self.event.message_time) or received
        spans = [_span(text, sent.tzinfo) for text in sources if self.moment(text)]
        earliest, latest = spans[0] if spans else (received, received)
        for after in (*spans[1:], (received, received)):
            earliest, latest = (min(max(one, earliest), latest) for one in after)
        return iso(min(earliest, received))

    def occurred(self) -> str:
        """EVN-6, "" where it is none."""
        return self.moment(self.event.occurred_at)

    def with_admission(self, identifiers: list[tuple[str, str, str]]) -> list[tuple[str, ...]]:
        """The identifiers, each with the minute of the admission (PV1-44); [] without one."""
        admitted = self.moment(self.event.visit.admitted_at)
        return [(*one, admitted[:16]) for one in identifiers] if admitted else []

    def died_long_before(self) -> bool:
        """Whether the date of death lies more than a day before the encounter."""
        died = _parsed(self.event.patient.died_at)
        begun = _parsed(self.event.visit.admitted_at or self.event.recorded_at or self.received_at)
        return bool(died and begun and begun - died > timedelta(days=1))

    def moment(self, text: str) -> str:
        """A time of the message in UTC; "" where it is none or cannot be true."""
        parsed = _parsed(text)
        if parsed is None:
            return ""
        if not is_plausible(text, self.received_at, self.event.patient.birth_date):
            self.warnings.append(IMPLAUSIBLE_TIME)
            return ""
        return iso(parsed)

    def _sources(self, rule: TriggerRule) -> Iterator[tuple[str, str]]:
        if rule.effect not in CANCELS:
            yield self.event.occurred_at, "EVN-6"
        # PV1-44 of an A06 is often the arrival in the emergency department.
        if rule.effect is Effect.BEGIN:
            yield self.event.visit.admitted_at, "PV1-44"
        if rule.effect is Effect.END:
            yield self.event.visit.discharged_at, "PV1-45"
        yield self.event.recorded_at, "EVN-2"
        yield self.event.message_time, "MSH-7"


_MILLISECOND = timedelta(milliseconds=1)
_UNITS = {0: timedelta(days=1), 3: timedelta(hours=1), 6: timedelta(minutes=1)}
"""The length of the time that a text names, by the characters of its time of day (`Thh:mm`)."""


def _span(text: str, zone: tzinfo | None) -> tuple[datetime, datetime]:
    """The first and the last moment that a time of the message names. A date is one of `zone`."""
    clock = re.split(r"[.Z+-]", text[10:], maxsplit=1)[0]
    first = datetime.fromisoformat(text)
    if first.tzinfo is None:
        first = first.replace(tzinfo=UTC if clock else zone)
    return first, first + _UNITS.get(len(clock), _MILLISECOND) - _MILLISECOND


def _parsed(text: str) -> datetime | None:
    """The moment in an ISO 8601 text; without an offset it is read as UTC; None for none."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
