"""Words for codes: the notice of an event, the disposition of a discharge, the reason of a recipient."""

from hl7.death import Evidence, is_nubc, of_disposition
from hl7.tables import DISCHARGE_STATUSES
from lambdas.common.contracts.encounters.encounter import Change, Notice
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import DISCHARGES, EventKind
from lambdas.common.contracts.message.visit import CodedText
from lambdas.delivery.letter.words.locale import Words

STAY_ENDED = "stay_ended"
"""The notice of a discharge where the message does not say clearly whether the patient died."""

ED_ADMITTED = "ed_admitted"
"""The notice of a discharge from the emergency department into a bed of the same hospital."""

NO_INPATIENT = "no_inpatient"
"""The correction of an admission of a patient who is no inpatient."""

WRONG_PATIENT = "wrong_patient"
"""The correction of a stay that was another patient's."""

VARIANTS = (STAY_ENDED, ED_ADMITTED, NO_INPATIENT, WRONG_PATIENT)
"""Notices with words of their own, beside those of each kind of event."""

ADMITTED_HERE = "09"
"""NUBC discharge status: admitted as an inpatient to this hospital."""

_READMISSION = {
    "81": "01",
    "82": "02",
    "83": "03",
    "84": "04",
    "85": "05",
    "86": "06",
    "87": "21",
    "88": "43",
    "89": "61",
    "90": "62",
    "91": "63",
    "92": "64",
    "93": "65",
    "94": "66",
    "95": "70",
}
"""The same places, with a planned readmission to acute care."""


def notice_of(patient_event: PatientEvent) -> str:
    """The notice of an event: its kind, `death` where the stay ended with it, or one of `VARIANTS`."""
    if patient_event.event_kind is EventKind.CORRECTION:
        changes = changes_of(patient_event)
        if Change.PATIENT in changes:
            return WRONG_PATIENT
        return NO_INPATIENT if Change.CLASS in changes else EventKind.CORRECTION
    if patient_event.event_kind in DISCHARGES:
        match evidence_of_death(patient_event):
            case Evidence.CLEAR:
                return EventKind.DEATH
            case Evidence.UNCLEAR:
                return STAY_ENDED
    emergency = patient_event.event_kind is EventKind.ED_DISCHARGE
    if emergency and nubc_code(patient_event.visit.disposition) == ADMITTED_HERE:
        return ED_ADMITTED
    return patient_event.event_kind


def decided_notice(patient_event: PatientEvent) -> Notice | None:
    """The decision's notice of the event's kind; None in a document from before there were decisions."""
    decision = patient_event.decision
    notices = decision.notices if decision else ()
    return next((one for one in notices if one.kind is patient_event.event_kind), None)


def changes_of(patient_event: PatientEvent) -> tuple[Change, ...]:
    """The details that an update or a correction brings."""
    notice = decided_notice(patient_event)
    return notice.changes if notice else ()


def evidence_of_death(patient_event: PatientEvent) -> Evidence:
    """The evidence that ParseMessage found; in a document from before it recorded any, that of the codes."""
    if patient_event.death is not None:
        return patient_event.death
    patient, disposition = patient_event.patient, patient_event.visit.disposition
    if patient.died or patient.died_at:
        return Evidence.CLEAR
    return of_disposition(disposition.code, disposition.text, disposition.system)


def nubc_code(disposition: CodedText) -> str:
    """The disposition's code in NUBC's table; "" for a code of another table, and for one with words of its own."""
    named = is_nubc(disposition.system)
    if not named and (disposition.system or disposition.text):
        return ""
    code = disposition.code.strip()
    code = code.zfill(2) if named and code.isdecimal() else code
    return code if code in DISCHARGE_STATUSES else ""


def disposition_words(disposition: CodedText, words: Words) -> str:
    """The place to which a discharge led: in the sender's words, else in those of NUBC's table (UB-04 FL 17)."""
    if disposition.text:
        return disposition.text
    code = nubc_code(disposition)
    if code in _READMISSION:
        place: str = words.dispositions[_READMISSION[code]]
        return str(words.readmission.format(place=place))
    return words.dispositions.get(code) or disposition.code


def reason_words(reason: str, words: Words) -> str:
    """The reason of a recipient in words: `primary_care` as `primary care provider`."""
    return str(words.reasons.get(reason, reason.replace("_", " ")))
