"""The words of a notification: what each kind of event, code and reason is called."""

from dataclasses import dataclass

from lambdas.common.models import CodedText


@dataclass(frozen=True, slots=True)
class KindWords:
    """How one kind of event is named, told in a sentence, and its time labelled."""

    title: str
    happened: str
    when: str
    nobody_treating: str = "not yet assigned"


_LEFT = "not named in the hospital's message"

KINDS = {
    "admission": KindWords("Hospital admission", "was admitted to hospital", "Admitted"),
    "registration": KindWords("Hospital registration", "was registered at hospital", "Registered"),
    "ed_registration": KindWords(
        "Emergency department visit", "was registered in the emergency department", "Registered"
    ),
    "transfer": KindWords("Hospital transfer", "was transferred", "Transferred"),
    "discharge": KindWords(
        "Hospital discharge", "was discharged from hospital", "Discharged", _LEFT
    ),
    "ed_discharge": KindWords(
        "Emergency department discharge",
        "was discharged from the emergency department",
        "Discharged",
        _LEFT,
    ),
}

DEATH = KindWords("Death notice", "has died", "Recorded", _LEFT)
"""A stay that ended with the patient's death is never told as a discharge."""

SEXES = {
    "F": "female",
    "M": "male",
    "O": "other",
    "A": "ambiguous",
    "N": "not applicable",
    "U": "unknown",
}
"""HL7 table 0001."""

DIAGNOSIS_KINDS = {"A": "admitting", "W": "working", "F": "final"}
"""HL7 table 0052."""

DEATH_DISPOSITIONS = frozenset({"20", "40", "41", "42"})
"""NUBC patient discharge status: died in hospital; in hospice care at home, in a facility, elsewhere."""

DISPOSITIONS = {
    "01": "Home or self-care",
    "02": "Another short-term general hospital, for inpatient care",
    "03": "Skilled nursing facility",
    "04": "Intermediate or custodial care facility",
    "05": "Cancer centre or children's hospital",
    "06": "Home, with home health services",
    "07": "Left against medical advice, or discontinued care",
    "09": "Admitted as an inpatient to the same hospital",
    "21": "Court or law enforcement",
    "30": "Still a patient",
    "43": "Federal health care facility",
    "50": "Hospice care at home",
    "51": "Hospice care in a medical facility",
    "61": "Swing bed within the hospital",
    "62": "Inpatient rehabilitation facility",
    "63": "Long-term care hospital",
    "64": "Nursing facility",
    "65": "Psychiatric hospital or unit",
    "66": "Critical access hospital",
    "69": "Designated disaster alternative care site",
    "70": "Another kind of health care institution",
}
"""PV1-36, NUBC UB-04 form locator 17, in words of our own."""

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

REASONS = {
    "primary_care": "primary care provider",
    "care_team": "member of the care team",
    "post_acute": "post-acute care provider",
    "patient_identified": "provider whom the patient named",
    "subscriber": "subscriber to this patient's notifications",
    "attending": "attending practitioner",
    "admitting": "admitting practitioner",
    "referring": "referring provider",
    "consulting": "consulting provider",
}
"""Why a recipient is told, as LookupIdentities gives it."""


def nubc_code(disposition: CodedText) -> str:
    """The disposition's code in its two digits: senders also write `1` for `01`."""
    code = disposition.code.strip()
    return code.zfill(2) if code.isdecimal() else code


def disposition_words(disposition: CodedText) -> str:
    """Where a discharge led, in words; the sender's own where the code is not one of NUBC's."""
    code = nubc_code(disposition)
    if code in _READMISSION:
        return f"{DISPOSITIONS[_READMISSION[code]]} (readmission planned)"
    return DISPOSITIONS.get(code) or disposition.text or disposition.code


def reason_words(reason: str) -> str:
    """Why somebody is a recipient, in words: `primary_care` as `primary care provider`."""
    return REASONS.get(reason, reason.replace("_", " "))
