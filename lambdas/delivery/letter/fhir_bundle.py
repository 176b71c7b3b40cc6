"""The notification for a computer: Da Vinci Unsolicited Notifications' message bundle (FHIR R4, STU 1.1).

http://hl7.org/fhir/us/davinci-alerts. It holds the facts of the message alone: findings of Comprehend
Medical in the notes are no diagnoses of the hospital.
"""

import json
import re
import uuid
from collections.abc import Iterable
from typing import Any

from lambdas.common.contracts.encounters.encounter import Change, EncounterClass, Phase
from lambdas.common.contracts.encounters.stay_flags import StayFlag
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import ENDS, EventKind
from lambdas.common.contracts.message.patient import PatientIdentifier
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.message.visit import CodedText
from lambdas.common.contracts.recipients.recipient import Recipient
from lambdas.common.plausible import is_plausible
from lambdas.delivery.letter.facts import withdraws
from lambdas.delivery.letter.told import Told
from lambdas.delivery.letter.words.clean import clean
from lambdas.delivery.letter.words.wording import changes_of, nubc_code

Resource = dict[str, Any]

ALERTS = "http://hl7.org/fhir/us/davinci-alerts"
EVENTS = {
    "admission": "admit",
    "observation": "admit",
    "registration": "admit",
    "ed_registration": "admit",
    "transfer": "transfer",
    "discharge": "discharge",
    "ed_discharge": "discharge",
    "cancel_admission": "admit",
    "cancel_transfer": "transfer",
    "cancel_discharge": "discharge",
    "death": "discharge",
    "cancel_death": "discharge",
    "correction": "admit",
    "update": "admit",
}
CLASSES = {"E": "EMER", "O": "AMB", "S": "SS", "V": "OBSENC", "OBS": "OBSENC", "P": "PRENC"}
"""PV1-2 to ActCode; any other stay is inpatient (`IMP`)."""
STAY_CLASSES = {
    EncounterClass.EMERGENCY: "EMER",
    EncounterClass.OBSERVATION: "OBSENC",
    EncounterClass.OUTPATIENT: "AMB",
    EncounterClass.INPATIENT: "IMP",
}
"""The class of the stay after all its messages, which the letter tells too."""
STATUSES = {
    Phase.PLANNED: "planned",
    Phase.SEEN: "in-progress",
    Phase.IN: "in-progress",
    Phase.LEFT: "finished",
    Phase.CLOSED: "finished",
    Phase.CANCELLED: "entered-in-error",
}
_DATE_TIME = re.compile(
    r"(?P<minute>\d{4}-\d\d-\d\dT\d\d:\d\d)(?P<second>:\d\d(?:\.\d+)?)?(?P<offset>Z|[+-]\d\d:\d\d)",
    re.ASCII,
)
GENDERS = {"F": "female", "M": "male", "O": "other", "A": "other", "N": "other", "U": "unknown"}
NOT_FOR_CARE = frozenset(
    {"SS", "SSN", "SSC", "DL", "PPN", "PPC", "CZ", "VS", "MI", "TAX"}
    | {"AM", "BA", "BC", "BCT", "CC", "DI", "DS", "AN", "ANC", "AND", "ANT", "VN"}
)
"""Identifier types of PID-3 by which no provider files a patient (HL7 table 0203).

Social Security, licences, passports, visas, the military, taxes, bank and credit cards, accounts and
visits.
"""
_NAMED = (
    "bundle",
    "header",
    "encounter",
    "patient",
    "practitioner",
    "organization",
    "provenance",
)
SYSTEMS = {
    "I10": "http://hl7.org/fhir/sid/icd-10-cm",
    "I10C": "http://hl7.org/fhir/sid/icd-10-cm",
    "SCT": "http://snomed.info/sct",
}


def bundle_of(told: Told, recipient: Recipient, institution: str, sent_at: str) -> str:
    """The message bundle as JSON text. `sent_at` is ISO 8601 with an offset.

    A withdrawal has the encounter as it is now, `entered-in-error` where there is none, and nothing
    clinical. A flag of earlier stays is a Flag with the facts that it rests on.
    """
    patient_event = told.event
    ids = {
        name: str(uuid.uuid5(uuid.NAMESPACE_OID, f"{patient_event.event_id}/{name}"))
        for name in _NAMED
    }
    practitioner = next(
        (p for p in patient_event.practitioners if p.role == "attending" and p.name.display()), None
    )
    diagnoses = () if withdraws(patient_event) else patient_event.diagnoses[:20]
    resources = [
        _header(patient_event, recipient, ids),
        _encounter(told, ids, recipient.stay_ref, practitioner is not None),
        _patient(patient_event, ids["patient"]),
        *([_practitioner(practitioner.name, ids["practitioner"])] if practitioner else []),
        {
            "resourceType": "Organization",
            "id": ids["organization"],
            "active": True,
            "name": institution or "not named",
        },
        *(_condition(number, one, patient_event, ids) for number, one in enumerate(diagnoses)),
        *(_flag(number, flag, patient_event, ids) for number, flag in enumerate(told.flags)),
        _provenance(patient_event, ids, sent_at),
    ]
    return json.dumps(
        {
            "resourceType": "Bundle",
            "id": ids["bundle"],
            "meta": {"profile": [f"{ALERTS}/StructureDefinition/notifications-bundle"]},
            "type": "message",
            "timestamp": sent_at,
            "entry": [
                {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}
                for resource in resources
            ],
        },
        ensure_ascii=False,
        indent=1,
    )


def _header(patient_event: PatientEvent, recipient: Recipient, ids: dict[str, str]) -> Resource:
    event = EVENTS[patient_event.event_kind]
    organization = {"reference": f"urn:uuid:{ids['organization']}"}
    return {
        "resourceType": "MessageHeader",
        "id": ids["header"],
        "meta": {"profile": [f"{ALERTS}/StructureDefinition/{event}-notification-messageheader"]},
        "eventCoding": {
            "system": f"{ALERTS}/CodeSystem/notification-event",
            "code": f"notification-{event}",
        },
        "destination": [{"endpoint": f"mailto:{recipient.address}"}],
        "sender": organization,
        "responsible": organization,
        "source": {"name": "hl7-ens", "endpoint": "urn:hl7-ens"},
        "focus": [{"reference": f"urn:uuid:{ids['encounter']}"}],
    }


def _provenance(patient_event: PatientEvent, ids: dict[str, str], sent_at: str) -> Resource:
    """The Provenance of a translation from the hospital's message, which an intermediary has to give."""
    code_systems = "http://terminology.hl7.org/CodeSystem"
    transform = {"system": f"{code_systems}/iso-21089-lifecycle", "code": "transform"}
    assembler = {"system": f"{code_systems}/provenance-participant-type", "code": "assembler"}
    message = clean(patient_event.message_control_id)
    source = {"identifier": {"value": message}} if message else {"display": "HL7 v2 message"}
    return {
        "resourceType": "Provenance",
        "id": ids["provenance"],
        "target": [{"reference": f"urn:uuid:{ids['header']}"}],
        "recorded": sent_at,
        "activity": {"coding": [transform]},
        "agent": [{"type": {"coding": [assembler]}, "who": {"display": "hl7-ens"}}],
        "entity": [{"role": "source", "what": source}],
    }


def _status(patient_event: PatientEvent, ended: bool) -> str:
    """The encounter's status; of a withdrawal that of the stay as it is now."""
    if ended:
        return "finished"
    if not withdraws(patient_event):
        return "in-progress"
    decision = patient_event.decision
    if Change.PATIENT in changes_of(patient_event):
        return "entered-in-error"
    if decision and decision.phase:
        return STATUSES[decision.phase]
    gone = (EventKind.CANCEL_ADMISSION, EventKind.CORRECTION)
    return "entered-in-error" if patient_event.event_kind in gone else "in-progress"


def _identifiers(patient_event: PatientEvent, stay_ref: str) -> list[Resource]:
    """The hospital's visit number, and the stay's id that all its notices share."""
    visit = patient_event.visit
    found = [{"value": clean(visit.visit_number, 80)}] if visit.visit_number else []
    if stay_ref:
        found.append({"system": "urn:hl7-ens:stay", "value": stay_ref})
    return found


def _flag(number: int, flag: StayFlag, event: PatientEvent, ids: dict[str, str]) -> Resource:
    """A flag with the earlier stays that it rests on (http://hl7.org/fhir/R4/flag.html)."""
    stays = "; ".join(
        ", ".join(filter(None, (stay.hospital or stay.facility, stay.began_at, stay.ended_at)))
        for stay in flag.stays
    )
    count = f"{flag.count} visits in 60 days; " if flag.count else ""
    text = clean(f"{flag.kind.replace('_', ' ')}: {count}{stays}", 500)
    return {
        "resourceType": "Flag",
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{event.event_id}/flag/{number}")),
        "status": "active",
        "code": {"coding": [{"code": flag.kind.replace("_", "-")}], "text": text},
        "subject": {"reference": f"urn:uuid:{ids['patient']}"},
        "encounter": {"reference": f"urn:uuid:{ids['encounter']}"},
    }


def _encounter(told: Told, ids: dict[str, str], stay_ref: str, treated: bool) -> Resource:
    patient_event = told.event

    def shown(moment: str) -> str:
        born = patient_event.patient.birth_date
        return _moment(moment) if is_plausible(moment, told.received_at, born) else ""

    visit, kind = patient_event.visit, patient_event.event_kind
    ended = kind in ENDS
    withdrawn = withdraws(patient_event)
    end = visit.discharged_at or patient_event.event_time() if ended else ""
    reason = "" if withdrawn else clean(visit.reason.text)
    decision = patient_event.decision
    known = decision.facts.encounter_class if decision else EncounterClass.UNKNOWN
    code = clean(nubc_code(visit.disposition), 20) if ended else ""
    coding = {"system": "https://www.nubc.org/CodeSystem/PatDischargeStatus", "code": code}
    disposition = _without_empty(
        {"coding": [coding] if code else [], "text": clean(visit.disposition.text)}
    )
    return _without_empty(
        {
            "resourceType": "Encounter",
            "id": ids["encounter"],
            "meta": {"profile": [f"{ALERTS}/StructureDefinition/adt-notification-encounter"]},
            "status": _status(patient_event, ended),
            "class": {
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                "code": STAY_CLASSES.get(known) or CLASSES.get(visit.patient_class, "IMP"),
            },
            "type": [{"text": "cancelled by the sender" if withdrawn else kind}],
            "subject": {"reference": f"urn:uuid:{ids['patient']}"},
            "participant": [_attending(ids)] if treated else [],
            "period": _without_empty({"start": shown(visit.admitted_at), "end": shown(end)}),
            "reasonCode": [{"text": reason}] if reason else [],
            "hospitalization": {"dischargeDisposition": disposition}
            if disposition and ended
            else {},
            "serviceProvider": {"reference": f"urn:uuid:{ids['organization']}"},
            "identifier": _identifiers(patient_event, stay_ref),
        }
    )


def _attending(ids: dict[str, str]) -> Resource:
    coding = {
        "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
        "code": "ATND",
    }
    return {
        "type": [{"coding": [coding]}],
        "individual": {"reference": f"urn:uuid:{ids['practitioner']}"},
    }


def _patient(patient_event: PatientEvent, patient_id: str) -> Resource:
    patient = patient_event.patient
    return _without_empty(
        {
            "resourceType": "Patient",
            "id": patient_id,
            "identifier": [
                _without_empty(
                    {"system": _oid(known.universal_id), "value": clean(known.value, 80)}
                )
                for known in _of_care(patient.identifiers)[:5]
            ],
            "name": [_name(patient.name)] if patient.name.display() else [],
            "gender": GENDERS.get(patient.sex.upper(), ""),
            "birthDate": _day(patient.birth_date),
            "deceasedBoolean": _deceased(patient_event),
        }
    )


def _of_care(identifiers: Iterable[PatientIdentifier]) -> list[PatientIdentifier]:
    """The identifiers that have a value and belong to the patient's care."""
    return [
        known
        for known in identifiers
        if known.value and known.identifier_type.strip().upper() not in NOT_FOR_CARE
    ]


def _deceased(patient_event: PatientEvent) -> bool | None:
    """True for a death, False where one is withdrawn, else None: nothing is said."""
    patient = patient_event.patient
    if patient_event.event_kind is EventKind.CANCEL_DEATH:
        return False
    died = patient.died or patient.died_at or patient_event.event_kind is EventKind.DEATH
    return True if died and not withdraws(patient_event) else None


def _practitioner(name: Name, practitioner_id: str) -> Resource:
    return {"resourceType": "Practitioner", "id": practitioner_id, "name": [_name(name)]}


def _condition(
    number: int, diagnosis: CodedText, event: PatientEvent, ids: dict[str, str]
) -> Resource:
    name = f"{event.event_id}/condition/{number}"
    system = SYSTEMS.get(diagnosis.system.upper(), "")
    coding = _without_empty({"system": system, "code": clean(diagnosis.code, 20)})
    category = {
        "system": "http://terminology.hl7.org/CodeSystem/condition-category",
        "code": "encounter-diagnosis",
    }
    return {
        "resourceType": "Condition",
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, name)),
        "meta": {"profile": [f"{ALERTS}/StructureDefinition/adt-notification-condition"]},
        "category": [{"coding": [category]}],
        "code": _without_empty(
            {"coding": [coding] if diagnosis.code else [], "text": clean(diagnosis.text)}
        ),
        "subject": {"reference": f"urn:uuid:{ids['patient']}"},
        "encounter": {"reference": f"urn:uuid:{ids['encounter']}"},
    }


def _name(name: Name) -> Resource:
    given = [clean(part) for part in (name.given, name.middle) if part]
    return _without_empty({"family": clean(name.family), "given": given})


def _oid(universal_id: str) -> str:
    digits = universal_id.replace(".", "")
    return f"urn:oid:{universal_id}" if digits.isdecimal() and digits.isascii() else ""


def _day(text: str) -> str:
    """A FHIR date; "" where the sender's is none."""
    parts = text[:10].split("-")
    fits = [len(p) == n and p.isdecimal() for p, n in zip(parts, (4, 2, 2), strict=False)]
    return text[:10] if text and all(fits) else ""


def _moment(text: str) -> str:
    """A FHIR dateTime: to the second with an offset, or the day alone."""
    parts = _DATE_TIME.fullmatch(text)
    if parts is None:
        return _day(text)
    return f"{parts['minute']}{parts['second'] or ':00'}{parts['offset']}"


def _without_empty(resource: Resource) -> Resource:
    """The members that have a value: FHIR allows no empty ones."""
    return {name: value for name, value in resource.items() if value not in ("", [], {}, None)}
