"""Patients as FHIR has them: the resource that is asked for, and the values read of an answer."""

from collections.abc import Mapping, Sequence

from lambdas.common.contracts.message.patient import Patient
from lambdas.lookup_identities.fhir.references import Document
from lambdas.lookup_identities.fhir.resources import FhirPatient
from lambdas.lookup_identities.matching.demographics import given
from lambdas.lookup_identities.matching.identifiers import UsableIdentifier
from lambdas.lookup_identities.pix_pdq.queries import OID
from lambdas.registry.records import PatientRecord

GENDERS = {"F": "female", "M": "male", "O": "other", "A": "other", "U": "unknown"}
SEXES = {"female": "F", "male": "M", "other": "O", "unknown": "U"}


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
    members = {
        "identifier": identifiers,
        "name": [name] if name else [],
        "birthDate": given(patient.birth_date)[:10],
        "gender": GENDERS.get(given(patient.sex).upper(), ""),
    }
    return {"resourceType": "Patient", **{key: value for key, value in members.items() if value}}


def ids_in(patient: FhirPatient, system: str) -> tuple[str, ...]:
    """The patient's identifiers of one system, without those out of use."""
    found = (
        identifier.value
        for identifier in patient.identifier
        if identifier.system == system and identifier.use != "old"
    )
    return tuple(dict.fromkeys(value for value in found if value))


def bears(patient: FhirPatient, system: str, value: str) -> bool:
    """Whether the patient has an identifier, or had it once."""
    return any((one.system, one.value) == (system, value) for one in patient.identifier)


def survivor_of(patient: FhirPatient) -> str:
    """Type and id of the patient that replaced this one; "" for a patient who was not replaced."""
    return next((link.other.target for link in patient.link if link.type == "replaced-by"), "")


def record_of(patient: FhirPatient, patient_id: str) -> PatientRecord:
    """The demographics of a patient."""
    former = [name for name in patient.name if name.use in ("maiden", "old")]
    usual = [name for name in patient.name if name.use == "official"] + [
        name for name in patient.name if name.use not in ("maiden", "old", "nickname", "anonymous")
    ]
    first = usual[0] if usual else None
    return PatientRecord(
        patient_id=patient_id,
        family=first.family if first else "",
        given=" ".join(first.given[:1]) if first else "",
        birth_date=patient.birth_date,
        sex=SEXES.get(patient.gender, ""),
        former_families=tuple(name.family for name in former if name.family),
    )
