"""Patients as FHIR has them: what is asked for, and what is read of an answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambdas.common.contracts.patient import Patient
from lambdas.lookup_identities.matching.demographics import given
from lambdas.lookup_identities.matching.identifiers import UsableIdentifier
from lambdas.lookup_identities.pix_pdq.queries import OID
from lambdas.lookup_identities.registry.records import PatientRecord

GENDERS = {"F": "female", "M": "male", "O": "other", "A": "other", "U": "unknown"}
SEXES = {"female": "F", "male": "M", "other": "O", "unknown": "U"}

Document = dict[str, Any]


def system_of(authorities: Sequence[str], systems: Mapping[str, str]) -> str:
    """The system of an assigning authority: configured by its name, or `urn:oid:` and its OID; else ""."""
    named = [systems[name] for name in authorities if name in systems]
    oids = [f"urn:oid:{name}" for name in authorities if OID.fullmatch(name)]
    return (named or oids or [""])[0]


def described(
    patient: Patient, usable: Sequence[UsableIdentifier], systems: Mapping[str, str]
) -> Document:
    """The patient of the message as the resource that `$match` compares (ITI-119)."""
    identifiers = [
        {"system": system, "value": identifier.value}
        for identifier in usable
        if (system := system_of(identifier.authorities, systems))
    ]
    family, first = given(patient.name.family), given(patient.name.given)
    name = {**({"family": family} if family else {}), **({"given": [first]} if first else {})}
    birth_date, gender = given(patient.birth_date)[:10], GENDERS.get(given(patient.sex).upper(), "")
    return {
        "resourceType": "Patient",
        **({"identifier": identifiers} if identifiers else {}),
        **({"name": [name]} if name else {}),
        **({"birthDate": birth_date} if birth_date else {}),
        **({"gender": gender} if gender else {}),
    }


def ids_in(resource: Document, system: str) -> tuple[str, ...]:
    """The patient's identifiers of one system, those out of use left out."""
    found = (
        identifier.get("value", "")
        for identifier in resource.get("identifier", ())
        if identifier.get("system") == system and identifier.get("use") != "old"
    )
    return tuple(dict.fromkeys(value for value in found if value))


def bears(resource: Document, system: str, value: str) -> bool:
    """Whether the patient has an identifier, or had it once."""
    pairs = ((i.get("system"), i.get("value")) for i in resource.get("identifier", ()))
    return (system, value) in pairs


def survivor_of(resource: Document) -> str:
    """The reference of who replaced a patient; "" for one who was not replaced."""
    for link in resource.get("link", ()):
        if link.get("type") == "replaced-by":
            reference: str = link.get("other", {}).get("reference", "")
            return reference
    return ""


def record_of(resource: Document, patient_id: str) -> PatientRecord:
    """The demographics of a patient."""
    names = resource.get("name", ())
    former = [n for n in names if n.get("use") in ("maiden", "old")]
    usual = [n for n in names if n.get("use") == "official"] + [
        n for n in names if n.get("use") not in ("maiden", "old", "nickname", "anonymous")
    ]
    first = usual[0] if usual else {}
    return PatientRecord(
        patient_id=patient_id,
        family=first.get("family", ""),
        given=" ".join(first.get("given", ())[:1]),
        birth_date=resource.get("birthDate", ""),
        sex=SEXES.get(resource.get("gender", ""), ""),
        former_families=tuple(n["family"] for n in former if n.get("family")),
    )
