"""Codes into words: the notice of an event, where a discharge led, why somebody is told."""

from lambdas.common.contracts.event import DISCHARGES, PatientEvent
from lambdas.common.contracts.visit import CodedText
from lambdas.delivery.message.locale import Words

DEATH_DISPOSITIONS = frozenset({"20", "40", "41", "42"})
"""NUBC patient discharge status: died in hospital; in hospice care at home, in a facility, elsewhere."""

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
    """The notice of an event: its kind, or `death` where the stay ended with it."""
    return "death" if ended_in_death(patient_event) else patient_event.event_kind


def ended_in_death(patient_event: PatientEvent) -> bool:
    """Whether a discharge tells of a death: by its disposition (PV1-36), or by PID-29 or PID-30."""
    patient = patient_event.patient
    died = nubc_code(patient_event.visit.disposition) in DEATH_DISPOSITIONS
    return patient_event.event_kind in DISCHARGES and (
        died or patient.died or bool(patient.died_at)
    )


def nubc_code(disposition: CodedText) -> str:
    """The disposition's code in its two digits: senders also write `1` for `01`."""
    code = disposition.code.strip()
    return code.zfill(2) if code.isdecimal() else code


def disposition_words(disposition: CodedText, words: Words) -> str:
    """Where a discharge led, in words; the sender's own where the code is not one of NUBC's (UB-04 FL 17)."""
    code = nubc_code(disposition)
    if code in _READMISSION:
        place: str = words.dispositions[_READMISSION[code]]
        return str(words.readmission.format(place=place))
    return words.dispositions.get(code) or disposition.text or disposition.code


def reason_words(reason: str, words: Words) -> str:
    """Why somebody is a recipient, in words: `primary_care` as `primary care provider`."""
    return str(words.reasons.get(reason, reason.replace("_", " ")))
