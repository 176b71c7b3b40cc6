"""The facts of a notification as rows of label and text: who, where, when, by whom, why."""

from zoneinfo import ZoneInfo

from lambdas.common.models import Location, PatientEvent
from lambdas.common.senders import Sender
from lambdas.deliver_notification.clean import clean
from lambdas.deliver_notification.moments import age, in_words
from lambdas.deliver_notification.wording import (
    DEATH,
    DEATH_DISPOSITIONS,
    KINDS,
    SEXES,
    KindWords,
    disposition_words,
    nubc_code,
)

NAME_MISSING = "name not given in the hospital's message"
INSTITUTION_MISSING = "not named in the hospital's message"

Rows = list[tuple[str, str]]


def words_of(patient_event: PatientEvent) -> KindWords:
    """The words for this kind of event; those of a death where the stay ended with it."""
    return DEATH if ended_in_death(patient_event) else KINDS[patient_event.kind]


def ended_in_death(patient_event: PatientEvent) -> bool:
    """Whether a discharge tells of a death: by its disposition (PV1-36), or by PID-29 or PID-30."""
    patient = patient_event.patient
    died = nubc_code(patient_event.visit.disposition) in DEATH_DISPOSITIONS
    return "discharge" in patient_event.kind and (died or patient.died or bool(patient.died_at))


def institution(patient_event: PatientEvent, sender: Sender) -> str:
    """The sending institution: its configured name, else the message's name or code for it, else ""."""
    visit = patient_event.visit
    return clean(
        sender.display_name
        or visit.facility_name
        or patient_event.sending_facility
        or visit.location.facility
    )


def treating_practitioner(patient_event: PatientEvent) -> tuple[str, str]:
    """The attending practitioner's name, else the admitting one's, and the role; two "" for neither."""
    for role in ("attending", "admitting"):
        for practitioner in patient_event.practitioners:
            name = clean(practitioner.name.display())
            if practitioner.role == role and name:
                return name, role
    return "", ""


def rows(
    patient_event: PatientEvent, words: KindWords, institution_name: str, zone: ZoneInfo | None
) -> Rows:
    """Every fact that was given, in the order a reader wants them; the three required ones always."""
    patient, visit = patient_event.patient, patient_event.visit
    practitioner, role = treating_practitioner(patient_event)
    treating = f"{practitioner} ({role})" if practitioner else words.nobody_treating
    died = words is DEATH
    leaving = "discharge" in patient_event.kind and not died
    given = [
        ("Patient", clean(patient.name.display()) or NAME_MISSING),
        ("Born", _born(patient_event)),
        ("Sex", SEXES.get(patient.sex.upper(), clean(patient.sex))),
        ("Sending institution", institution_name or INSTITUTION_MISSING),
        ("Treating practitioner", treating),
        *_places(patient_event, institution_name),
        *_times(patient_event, words, zone),
        ("Reason", clean(visit.reason.text or visit.reason.code)),
        ("Disposition", clean(disposition_words(visit.disposition)) if leaving else ""),
        ("Discharged to", clean(visit.discharged_to) if leaving else ""),
    ]
    return [(label, text) for label, text in given if text]


def _born(patient_event: PatientEvent) -> str:
    birth_date = patient_event.patient.birth_date
    if not birth_date:
        return ""
    years = age(birth_date, patient_event.event_time())
    return in_words(birth_date[:10], None) + (f" ({years})" if years else "")


def _times(patient_event: PatientEvent, words: KindWords, zone: ZoneInfo | None) -> Rows:
    patient, visit = patient_event.patient, patient_event.visit
    happened = patient_event.event_time()
    admitted = visit.admitted_at if visit.admitted_at != happened else ""
    if words is not DEATH and "discharge" not in patient_event.kind:
        admitted = ""
    died = patient.died_at or ("yes, by the hospital's record" if patient.died else "")
    if words is DEATH and not patient.died_at:
        died = ""
    return [
        ("Admitted", in_words(admitted, zone)),
        ("Died", in_words(died, zone)),
        (words.when, in_words(happened, zone)),
    ]


def _places(patient_event: PatientEvent, institution_name: str) -> Rows:
    visit = patient_event.visit
    if patient_event.kind == "transfer":
        # A transfer is told when the facility changes, so the facility is the news.
        return [
            ("From", _place(visit.prior_location, "")),
            ("To", _place(visit.location, "")),
        ]
    known = {institution_name, clean(patient_event.sending_facility)}
    facility = clean(visit.location.facility)
    return [("Where", _place(visit.location, facility if facility in known else ""))]


def _place(location: Location, known_facility: str) -> str:
    facility = clean(location.facility)
    parts = (
        "" if facility == known_facility else facility,
        _named("unit", location.unit),
        _named("room", location.room),
        _named("bed", location.bed),
    )
    text = ", ".join(part for part in parts if part)
    return text[:1].upper() + text[1:]


def _named(what: str, text: str) -> str:
    shown = clean(text, 60)
    return f"{what} {shown}" if shown else ""
