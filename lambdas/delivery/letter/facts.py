"""The facts of a notification as rows of label and text: patient, places, times, practitioner, reason."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from lambdas.common.contracts.encounters.encounter import Change, EncounterClass
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import BEGINS, CANCELS, DISCHARGES, ENDS, EventKind
from lambdas.common.contracts.message.visit import Location
from lambdas.common.contracts.recipients.recipient import FirstNotice
from lambdas.common.plausible import is_plausible
from lambdas.common.senders import SenderProfile
from lambdas.delivery.letter.told import Told
from lambdas.delivery.letter.words.locale import Words
from lambdas.delivery.letter.words.times import age, in_words
from lambdas.delivery.letter.words.unlinked import letter_text
from lambdas.delivery.letter.words.wording import (
    ED_ADMITTED,
    STAY_ENDED,
    changes_of,
    decided_notice,
    disposition_words,
)

Rows = list[tuple[str, str]]

OF_LEAVING = frozenset({Change.DISPOSITION, Change.DESTINATION})
"""Details of an update about the patient's leaving: disposition and place."""


def institution(patient_event: PatientEvent, sender: SenderProfile) -> str:
    """The sending institution: its configured name, else the message's name or code for it, else ""."""
    visit = patient_event.visit
    return letter_text(
        sender.display_name
        or visit.facility_name
        or patient_event.sending_facility
        or visit.location.facility
    )


def treating_practitioner(patient_event: PatientEvent) -> tuple[str, str]:
    """The attending practitioner's name, else the admitting one's, and the role; two "" for neither."""
    for role in ("attending", "admitting"):
        for practitioner in patient_event.practitioners:
            name = letter_text(practitioner.name.display())
            if practitioner.role == role and name:
                return name, role
    return "", ""


def initials(patient_event: PatientEvent) -> str:
    """The first letters of given name and surname, as `A. O.`; "" when neither was given."""
    name = patient_event.patient.name
    letters = (letter_text(part)[:1].upper() for part in (name.given, name.family))
    return " ".join(f"{letter}." for letter in letters if letter)


def reference_of(event_id: str) -> str:
    """An event's reference as readers see it: the first eight digits of its id."""
    return event_id[:8].upper()


def withdraws(patient_event: PatientEvent) -> bool:
    """Whether the event's notice takes back an earlier one. Nothing clinical of that one is repeated."""
    return patient_event.event_kind in CANCELS


def rows(told: Told, notice: str, sender: SenderProfile, words: Words) -> Rows:
    """The given facts in their order of display; patient, practitioner and institution always.

    An implausible time is left out; a withdrawal has nothing clinical.
    """
    patient_event = told.event
    institution_name = institution(patient_event, sender)
    patient, visit, labels = patient_event.patient, patient_event.visit, words.labels
    practitioner, role = treating_practitioner(patient_event)
    treating = (
        f"{practitioner} ({words.roles[role]})" if practitioner else words.notices[notice].treating
    )
    leaving = notice in DISCHARGES or notice in (STAY_ENDED, ED_ADMITTED)
    leaving |= not OF_LEAVING.isdisjoint(changes_of(patient_event))
    reason = "" if withdraws(patient_event) else letter_text(visit.reason.text or visit.reason.code)
    disposition = letter_text(disposition_words(visit.disposition, words)) if leaving else ""
    given = [
        (labels.patient, letter_text(patient.name.display()) or words.name_missing),
        (labels.born, _born(patient_event, words)),
        (labels.sex, words.sexes.get(patient.sex.upper(), letter_text(patient.sex))),
        (labels.institution, institution_name or words.institution_missing),
        (labels.treating, treating),
        *_places(patient_event, notice, institution_name, sender, words),
        *_times(told, notice, sender.zone, words),
        (labels.reason, reason),
        (labels.disposition, disposition),
        (labels.discharged_to, _destination(told) if leaving else ""),
    ]
    return [(label, text) for label, text in given if text]


def _destination(told: Told) -> str:
    """The facility to which the patient goes, by the registry's name and the hospital's code."""
    code, name = letter_text(told.event.visit.discharged_to), letter_text(told.discharged_to)
    return f"{name} ({code})" if name and code else name or code


def minimal_rows(patient_event: PatientEvent, institution_name: str, words: Words) -> Rows:
    """The rows of a mail without encryption: initials and institution."""
    return [
        (words.labels.initials, initials(patient_event) or words.name_missing),
        (words.labels.institution, institution_name or words.institution_missing),
    ]


def first_notice_row(first: FirstNotice | None, zone: ZoneInfo | None, words: Words) -> Rows:
    """The kind, reference and time of sending of the notification that this one is about; else nothing."""
    if first is None:
        return []
    text = words.sentences.first_notice.format(
        reference=reference_of(first.event_id), moment=in_words(first.told_at, zone, words)
    )
    kind = words.notices[first.event_kind].title if first.event_kind else ""
    return [(words.labels.first_notice, f"{kind}, {text}" if kind else text)]


def _born(patient_event: PatientEvent, words: Words) -> str:
    birth_date = patient_event.patient.birth_date
    if not birth_date:
        return ""
    years = age(birth_date, patient_event.event_time(), words)
    return in_words(birth_date[:10], None, words) + (f" ({years})" if years else "")


def _times(told: Told, notice: str, zone: ZoneInfo | None, words: Words) -> Rows:
    patient_event = told.event

    def shown(moment: str) -> str:
        born = patient_event.patient.birth_date
        plausible = is_plausible(moment, told.received_at, born)
        return in_words(moment, zone, words) if plausible else ""

    patient, visit, labels = patient_event.patient, patient_event.visit, words.labels
    happened = _happened(patient_event)
    decided = decided_notice(patient_event)
    ended = notice in (EventKind.DEATH, STAY_ENDED, ED_ADMITTED) or notice in DISCHARGES
    admitted = visit.admitted_at if ended and visit.admitted_at != happened else ""
    withdrawn = withdraws(patient_event)
    # EVN-6 of a cancellation is the time of the cancelled event; of another message it is its own.
    cancels = withdrawn and notice in CANCELS and notice != EventKind.CORRECTION
    died = "" if withdrawn else shown(patient.died_at)
    if patient.died and not died and notice != "death" and not withdrawn:
        died = words.died_on_record
    return [
        (_begin_label(patient_event, words), shown(admitted)),
        (labels.first_event, shown(patient_event.occurred_at) if cancels else ""),
        (labels.died, died),
        # The rules may have found a time in another field.
        (words.notices[notice].when, shown(happened) or shown(decided.at if decided else "")),
    ]


def _begin_label(patient_event: PatientEvent, words: Words) -> str:
    """The label of PV1-44 in the notice of an end. Only an inpatient was admitted."""
    decision = patient_event.decision
    stay = decision.facts.encounter_class if decision else EncounterClass.UNKNOWN
    if patient_event.event_kind is EventKind.ED_DISCHARGE:
        stay = EncounterClass.EMERGENCY
    begun_as = {
        EncounterClass.EMERGENCY: EventKind.ED_REGISTRATION,
        EncounterClass.OBSERVATION: EventKind.OBSERVATION,
    }.get(stay)
    return str(words.notices[begun_as].when if begun_as else words.labels.admitted)


def _happened(patient_event: PatientEvent) -> str:
    """The event's time; "" where the visit's own time is given and unreadable: no other time may stand for it."""
    kind = patient_event.event_kind
    position = "PV1-45" if kind in ENDS else "PV1-44"
    told_by_visit = kind in BEGINS | ENDS
    if told_by_visit and patient_event.unreadable(position) and not patient_event.occurred_at:
        return ""
    return patient_event.event_time()


def _places(
    patient_event: PatientEvent,
    notice: str,
    institution_name: str,
    sender: SenderProfile,
    words: Words,
) -> Rows:
    visit, labels, names = patient_event.visit, words.labels, sender.codes.facility_names
    if notice == EventKind.TRANSFER:
        # A transfer is told when the facility changes, so the facility is the news.
        return [
            (labels["from"], _place(visit.prior_location, names, "", words)),
            (labels.to, _place(visit.location, names, "", words)),
        ]
    known = {institution_name, letter_text(patient_event.sending_facility)}
    facility = _facility(visit.location, names)
    known_facility = facility if facility in known else ""
    return [(labels.where, _place(visit.location, names, known_facility, words))]


def _facility(location: Location, names: Mapping[str, str]) -> str:
    """The facility by the sender's name for it, else by its code."""
    return letter_text(names.get(location.facility, location.facility))


def _place(location: Location, names: Mapping[str, str], known_facility: str, words: Words) -> str:
    facility = _facility(location, names)
    unit, description = location.unit_name or location.unit, letter_text(location.description, 80)
    parts = (
        "" if facility == known_facility else facility,
        _named(words.building, location.building),
        _named(words.floor, location.floor),
        _named(words.unit, unit),
        description if description != letter_text(unit) else "",
        _named(words.room, location.room),
        _named(words.bed, location.bed),
    )
    text = ", ".join(part for part in parts if part)
    return text[:1].upper() + text[1:]


def _named(form: str, text: str) -> str:
    shown = letter_text(text, 60)
    return form.format(text=shown) if shown else ""
