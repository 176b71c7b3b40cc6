"""Disclosures as a FHIR R4 Bundle of AuditEvents, after IHE BALP "Privacy Disclosure at Source".

https://profiles.ihe.net/ITI/BALP/StructureDefinition-IHE.BasicAudit.PrivacyDisclosure.Source.html: type
110106 (Export), subtype `disclose`, action R, agents for source and recipient with network, source observer
equal to the source agent, entities for patient and data. A notice that was not sent has outcome 4 or 8
(http://terminology.hl7.org/CodeSystem/audit-event-outcome is that of DICOM) and its reason as
`outcomeDesc`.
"""

import uuid
from collections.abc import Iterable
from typing import Any

from ops.disclosures.records import DISCLOSED, Disclosure, Fate
from ops.disclosures.subjects import Names

Resource = dict[str, Any]

DCM = "http://dicom.nema.org/resources/ontology/DCM"
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ENTITY_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
SOURCE_TYPE = "http://terminology.hl7.org/CodeSystem/security-source-type"
NPI = "http://hl7.org/fhir/sid/us-npi"
OWN = "urn:hl7-ens"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, OWN)

OUTCOMES = {Fate.RETURNED: "4", Fate.REFUSED: "4", Fate.SUPPRESSED: "4", Fate.FAILED: "8"}
"""FHIR R4 audit-event-outcome: 0 success, 4 minor failure, 8 serious failure."""

SHOWN = DISCLOSED | OUTCOMES.keys()
"""Fates with an event. One who was not chosen, or whose notice waits, has none: nothing was exported."""


def bundle(records: Iterable[Disclosure], names: Names, timestamp: str) -> Resource:
    """Returns a collection of one AuditEvent for each disclosure, and for each that was stopped."""
    events = [audit_event(one, names) for one in records if one.fate in SHOWN]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": timestamp,
        "entry": [{"fullUrl": f"urn:uuid:{event['id']}", "resource": event} for event in events],
    }


def audit_event(one: Disclosure, names: Names) -> Resource:
    """Returns the AuditEvent of one record. Its id is the same for the same record."""
    outcome = OUTCOMES.get(one.fate, "0")
    source = _own("sender", one.sender or "unknown")
    event = {
        "resourceType": "AuditEvent",
        "id": str(uuid.uuid5(NAMESPACE, f"{one.event_id}|{one.recipient_ref}|{one.delivery_id}")),
        "meta": {
            "profile": [
                "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PrivacyDisclosure.Source"
            ]
        },
        "type": _coding(DCM, "110106", "Export"),
        "subtype": [_coding(LIFECYCLE, "disclose", "Disclose Record Lifecycle Event")],
        "action": "R",
        "recorded": one.time,
        "outcome": outcome,
        "purposeOfEvent": [{"coding": [_coding(ACT_REASON, "COC", "coordination of care")]}],
        "agent": [
            _agent("110153", "Source Role ID", source, _network(one.sender or "unknown", "sender")),
            _agent(
                "110152",
                "Destination Role ID",
                _recipient(one, names),
                _network(one.recipient_ref, "recipient"),
            ),
        ],
        "source": {"observer": source, "type": [_coding(SOURCE_TYPE, "4", "Application Server")]},
        "entity": [_patient(one), _data(one)],
    }
    if outcome != "0":
        event["outcomeDesc"] = f"{one.fate}: {one.because}" if one.because else str(one.fate)
    return event


def _patient(one: Disclosure) -> Resource:
    return {
        "what": _own("patient", one.patient_ref or "unknown"),
        "type": _coding(ENTITY_TYPE, "1", "Person"),
        "role": _coding(ENTITY_ROLE, "1", "Patient"),
    }


def _data(one: Disclosure) -> Resource:
    """The notice: its event, content, rule and delivery as details."""
    details = {
        "eventKind": one.event_kind,
        "noticeReference": one.reference,
        "encounter": one.encounter_ref,
        "relationships": " ".join(one.relationships),
        "detail": one.detail,
        "leftOut": " ".join(one.rule.left_out),
        "policyFile": one.rule.file,
        "policyRule": one.rule.rule,
        "policyVersion": one.rule.version,
        "consent": one.rule.consent_id,
        "delivery": one.delivery_id,
        "sesMessageId": one.ses_message_id,
        "toldWith": one.told_with,
        "feedback": one.feedback,
    }
    return {
        "what": _own("event", one.event_id),
        "type": _coding(ENTITY_TYPE, "2", "System Object"),
        "role": _coding(ENTITY_ROLE, "3", "Report"),
        "detail": [
            {"type": name, "valueString": value} for name, value in details.items() if value
        ],
    }


def _recipient(one: Disclosure, names: Names) -> Resource:
    known = names.get(one.recipient_ref)
    if known is None:
        return _own("recipient", one.recipient_ref)
    found = (
        {"identifier": {"system": NPI, "value": known.npi}}
        if known.npi
        else _own("recipient", one.recipient_ref)
    )
    return {**found, "display": known.name} if known.name else found


def _agent(code: str, display: str, who: Resource, network: Resource) -> Resource:
    return {
        "type": {"coding": [_coding(DCM, code, display)]},
        "who": who,
        "requestor": code == "110153",
        "network": network,
    }


def _network(name: str, kind: str) -> Resource:
    """A URI that names the party: the audit holds no address (network type 5 is a URI)."""
    return {"address": f"{OWN}:{kind}:{name}", "type": "5"}


def _own(kind: str, value: str) -> Resource:
    return {"identifier": {"system": f"{OWN}:{kind}", "value": value}}


def _coding(system: str, code: str, display: str) -> Resource:
    return {"system": system, "code": code, "display": display}
