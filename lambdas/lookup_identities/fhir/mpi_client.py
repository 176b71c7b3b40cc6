"""A master patient index over FHIR: PIXm and PDQm, or `$match` where the server has no `$ihe-pix`.

IHE ITI PIXm (ITI-83), PDQm (ITI-78, ITI-119). HAPI FHIR's MDM has `$match` alone: the setting `patients`
is `pixm` (the default) or `match`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lambdas.common.contracts.message.patient import Patient
from lambdas.common.errors import ConfigurationError, IdentityAmbiguousError
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.fhir.http import FhirClient, FhirResponse, token
from lambdas.lookup_identities.fhir.patients import (
    bears,
    described,
    ids_in,
    record_of,
    survivor_of,
    system_of,
)
from lambdas.lookup_identities.fhir.resources import (
    FhirPatient,
    PatientBundle,
    read_bundle,
    read_parameters,
    read_patient,
)
from lambdas.lookup_identities.matching.identifiers import UsableIdentifier
from lambdas.lookup_identities.mpi import connection
from lambdas.lookup_identities.mpi.circuit_breaker import Breaker
from lambdas.lookup_identities.mpi.connection import Deadline
from lambdas.lookup_identities.mpi.cross_references import cross_reference
from lambdas.lookup_identities.mpi.outcomes import OUR_DOMAIN, BrokenAnswerError, DomainUnknownError
from lambdas.registry.records import Match

SEVERAL = "PID-3: the MPI knows several patients"
MERGES = 3
PATIENT_PATH = re.compile(r"Patient/[A-Za-z0-9.-]{1,64}")
"""A relative reference to a patient (FHIR R4 "Data Types", id)."""


@dataclass(frozen=True, slots=True)
class IdentifierSystems:
    """The systems in the settings: that of the registry's own ids, and those of authorities by name."""

    domain: str
    systems: Mapping[str, str]
    by_match: bool


@dataclass(frozen=True, slots=True)
class FhirMpiClient:
    """An MPI at a FHIR server. Its circuit breaker stops questions after failures in a row."""

    server: FhirClient
    place: IdentifierSystems
    breaker: Breaker

    def find(self, usable: Sequence[UsableIdentifier], patient: Patient) -> Match | None:
        """The patient whom identifiers (or `$match`) name; outcomes as `pix_pdq.mpi_client.PixPdqMpiClient.find`."""
        deadline = Deadline.after(connection.TOTAL_SECONDS)
        with self.breaker.guard():
            if self.place.by_match:
                return _by_match(self.server, usable, patient, self.place, deadline=deadline)
            return _by_pixm(self.server, usable, self.place, deadline)

    def close(self) -> None:
        """Closes the server's connection."""
        self.server.close()


def fhir_mpi_client(context: LookupContext) -> FhirMpiClient:
    """The MPI of the settings. Raises `ConfigurationError` where they are incomplete."""
    settings = context.settings.mpi
    if not settings.domain:
        raise ConfigurationError("ENS_MPI_SETTINGS lacks domain")
    place = IdentifierSystems(settings.domain, settings.systems, settings.patients == "match")
    return FhirMpiClient(context.fhir_client, place, Breaker("the MPI"))


def _by_pixm(
    server: FhirClient,
    usable: Sequence[UsableIdentifier],
    place: IdentifierSystems,
    deadline: Deadline,
) -> Match | None:
    one = cross_reference(
        usable,
        lambda identifier: system_of(identifier.authorities, place.systems) == place.domain,
        lambda identifier: _ids_of(server, identifier, place, deadline),
        lambda patient_id: _current(server, patient_id, place, deadline),
    )
    if not one.patient_id:
        return None
    found = _with_identifier(server, one.patient_id, place, deadline)
    if found is None and one.returned:
        raise BrokenAnswerError("the search does not know the id that $ihe-pix returned")
    if found is None:
        return None
    match = _match(server, found, one.patient_id, one.matched_on, place, deadline=deadline)
    if match is None:
        return None
    return replace(match, merged_from=(*one.merged, *match.merged_from), warnings=one.warnings)


def _current(
    server: FhirClient, patient_id: str, place: IdentifierSystems, deadline: Deadline
) -> str:
    """The id of the patient into whom one was merged; the id itself where the search does not know it."""
    found = _with_identifier(server, patient_id, place, deadline)
    match = _match(server, found, patient_id, (), place, deadline=deadline) if found else None
    return match.record.patient_id if match else patient_id


def _ids_of(
    server: FhirClient, identifier: UsableIdentifier, place: IdentifierSystems, deadline: Deadline
) -> tuple[str, ...] | None:
    """ITI-83: the ids in our domain; () for an unknown identifier, None for an unknown domain."""
    system = system_of(identifier.authorities, place.systems)
    if not system:
        return None
    source = token(system, identifier.value)
    asked = [("sourceIdentifier", source), ("targetSystem", place.domain)]
    reply = server.get("Patient/$ihe-pix", asked, deadline)
    codes = reply.issue_codes()
    if reply.status == 404 and "not-found" in codes:
        return ()
    if reply.status == 400 and "code-invalid" in codes:
        return None
    if reply.status == 403 and "code-invalid" in codes:
        # Not a matter of permission: ITI-83 answers so for a target domain that it does not know.
        raise DomainUnknownError(OUR_DOMAIN)
    if reply.status != 200:
        raise ConfigurationError(f"the MPI does not take the query: HTTP {reply.status}")
    found = read_parameters(reply.resource).parameter
    identifiers = [one.value_identifier for one in found if one.name == "targetIdentifier"]
    ids = [one.value for one in identifiers if one and one.system == place.domain and one.value]
    if len(ids) != len(identifiers) or (found and not ids):
        raise BrokenAnswerError("a target identifier without a value of our domain")
    return tuple(dict.fromkeys(ids))


def _with_identifier(
    server: FhirClient, patient_id: str, place: IdentifierSystems, deadline: Deadline
) -> FhirPatient | None:
    """ITI-78: the one patient with this id of our domain; None without a match. A further page is more than one."""
    asked = [("identifier", token(place.domain, patient_id))]
    bundle = _bundle(server.search("Patient", asked, deadline), "identifier")
    patients = [found.patient for found in bundle.found]
    if len(patients) > 1 or (patients and bundle.has_more):
        raise IdentityAmbiguousError(SEVERAL)
    if not patients:
        return None
    if not bears(patients[0], place.domain, patient_id):
        raise ConfigurationError("the MPI does not search by identifier")
    return patients[0]


def _by_match(
    server: FhirClient,
    usable: Sequence[UsableIdentifier],
    patient: Patient,
    place: IdentifierSystems,
    *,
    deadline: Deadline,
) -> Match | None:
    """ITI-119. Two are asked for, so that ambiguity shows; only one that is certain is taken.

    HAPI FHIR ignores `onlyCertainMatches`: matches that are not certain are left out here. Several
    records with one id of our domain are one person.
    """
    parameters = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "resource", "resource": described(patient, usable, place.systems)},
            {"name": "onlyCertainMatches", "valueBoolean": True},
            {"name": "count", "valueInteger": 2},
        ],
    }
    found = _bundle(server.post("Patient/$match", parameters, deadline)).found
    if not found:
        return None
    certain = [one.patient for one in found if one.grades == {"certain"}]
    ids = {known for one in certain for known in ids_in(one, place.domain)}
    if len(ids) > 1 or not certain:
        raise IdentityAmbiguousError(SEVERAL)
    if not ids:
        return None
    records = [one for one in certain if ids_in(one, place.domain)]
    chosen = next((one for one in records if one.active), records[0])
    matched_on = [
        identifier.position
        for identifier in usable
        if bears(chosen, system_of(identifier.authorities, place.systems), identifier.value)
    ]
    return _match(server, chosen, ids.pop(), matched_on, place, deadline=deadline)


def _match(
    server: FhirClient,
    patient: FhirPatient,
    patient_id: str,
    matched_on: Sequence[str],
    place: IdentifierSystems,
    *,
    deadline: Deadline,
) -> Match | None:
    """The patient, or the one that replaced them. None for a patient out of use without a replacement."""
    current = _replacing(server, patient, deadline)
    if not current.active:
        return None
    ids = ids_in(current, place.domain)
    if len(ids) > 1:
        raise IdentityAmbiguousError("PID-3: the MPI has several ids for the patient")
    if not ids and current is not patient:
        raise BrokenAnswerError("a replacing patient without an id of our domain")
    if not ids:
        return None
    if ids[0] == patient_id:
        return Match(record_of(current, ids[0]), tuple(matched_on))
    # The link alone leads to this id: the MPI must know it for the same patient.
    confirmed = _with_identifier(server, ids[0], place, deadline)
    if confirmed is None or ids_in(confirmed, place.domain) != ids:
        raise BrokenAnswerError("the search does not know the id of the replacing patient")
    return Match(record_of(current, ids[0]), tuple(matched_on), (patient_id,))


def _replacing(server: FhirClient, patient: FhirPatient, deadline: Deadline) -> FhirPatient:
    """The patient at the end of the links `replaced-by`; the patient itself without one."""
    for _ in range(MERGES):
        path = survivor_of(patient)
        if not path:
            return patient
        if not PATIENT_PATH.fullmatch(path):
            raise BrokenAnswerError("a link to a replacing patient is no reference to a Patient")
        patient = read_patient(server.get(path, [], deadline).resource)
        if path != f"Patient/{patient.id}":
            raise BrokenAnswerError("another Patient than the one that was read")
    if survivor_of(patient):
        raise BrokenAnswerError(f"more than {MERGES} patients replace each other")
    return patient


def _bundle(reply: FhirResponse, parameter: str = "") -> PatientBundle:
    """The bundle of an answer.

    Raises `DomainUnknownError` for an unknown domain (PDQm: 404), and `ConfigurationError` for a server
    that rejects the query or did not search by `parameter`: its self link names the parameters that it
    used. Some servers leave all of them out of the link of a posted search.
    """
    if reply.status == 404 and parameter and "not-found" in reply.issue_codes():
        raise DomainUnknownError(OUR_DOMAIN)
    if reply.status != 200:
        raise ConfigurationError(f"the MPI does not take the query: HTTP {reply.status}")
    bundle = read_bundle(reply.resource)
    if parameter and "?" in bundle.self_link and f"{parameter}=" not in bundle.self_link:
        raise ConfigurationError(f"the MPI does not search by {parameter}")
    return bundle
