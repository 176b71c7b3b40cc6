"""A master patient index over FHIR: PIXm and PDQm, or `$match` where the server has no `$ihe-pix`.

IHE ITI PIXm (ITI-83), PDQm (ITI-78, ITI-119). HAPI FHIR's MDM has `$match` alone: the setting `patients`
is `pixm` (the default) or `match`.
"""

import re
from collections.abc import Sequence
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
from lambdas.lookup_identities.mpi import connection as wire
from lambdas.lookup_identities.mpi.circuit_breaker import Breaker
from lambdas.lookup_identities.mpi.connection import Deadline
from lambdas.lookup_identities.mpi.cross_references import cross_reference
from lambdas.lookup_identities.mpi.outcomes import OUR_DOMAIN, BrokenAnswerError, DomainUnknownError
from lambdas.lookup_identities.mpi.settings import MpiSettings
from lambdas.registry.records import Match

SEVERAL = "PID-3: the MPI knows several patients"
MERGES = 3
PATIENT_PATH = re.compile(r"Patient/[A-Za-z0-9.-]{1,64}")
"""A relative reference to a patient (FHIR R4 "Data Types", id)."""


@dataclass(frozen=True, slots=True)
class FhirMpiClient:
    """An MPI at a FHIR server. Its circuit breaker stops questions after failures in a row."""

    server: FhirClient
    settings: MpiSettings
    breaker: Breaker

    def find(self, usable: Sequence[UsableIdentifier], patient: Patient) -> Match | None:
        """The patient whom identifiers (or `$match`) name; outcomes as `pix_pdq.mpi_client.PixPdqMpiClient.find`."""
        question = FhirQuestion(self.server, self.settings, Deadline.after(wire.TOTAL_SECONDS))
        with self.breaker.guard():
            if self.settings.patients == "match":
                return question.by_match(usable, patient)
            return question.by_pixm(usable)

    def close(self) -> None:
        """Closes the server's connection."""
        self.server.close()


def fhir_mpi_client(context: LookupContext) -> FhirMpiClient:
    """The MPI of the settings. Raises `ConfigurationError` where they are incomplete."""
    settings = context.settings.mpi
    if not settings.domain:
        raise ConfigurationError("ENS_MPI_SETTINGS lacks domain")
    return FhirMpiClient(context.fhir_client, settings, Breaker("the MPI"))


@dataclass(frozen=True, slots=True)
class FhirQuestion:
    """One question for a patient, which takes several requests until its deadline."""

    server: FhirClient
    settings: MpiSettings
    deadline: Deadline

    def by_pixm(self, usable: Sequence[UsableIdentifier]) -> Match | None:
        """ITI-83, then ITI-78 by the id that it returned."""
        one = cross_reference(
            usable,
            lambda identifier: self._system(identifier) == self.settings.domain,
            self._ids_of,
            self._current,
        )
        if not one.patient_id:
            return None
        found = self._with_identifier(one.patient_id)
        if found is None and one.returned:
            raise BrokenAnswerError("the search does not know the id that $ihe-pix returned")
        if found is None:
            return None
        match = self._match(found, one.patient_id, one.matched_on)
        if match is None:
            return None
        return replace(match, merged_from=(*one.merged, *match.merged_from), warnings=one.warnings)

    def by_match(self, usable: Sequence[UsableIdentifier], patient: Patient) -> Match | None:
        """ITI-119. Two are asked for, so that ambiguity shows; only one that is certain is taken.

        HAPI FHIR ignores `onlyCertainMatches`: matches that are not certain are left out here. Several
        records with one id of our domain are one person.
        """
        parameters = {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "resource", "resource": described(patient, usable, self.settings.systems)},
                {"name": "onlyCertainMatches", "valueBoolean": True},
                {"name": "count", "valueInteger": 2},
            ],
        }
        found = _bundle(self.server.post("Patient/$match", parameters, self.deadline)).found
        if not found:
            return None
        certain = [one.patient for one in found if one.grades == {"certain"}]
        ids = {known for one in certain for known in ids_in(one, self.settings.domain)}
        if len(ids) > 1 or not certain:
            raise IdentityAmbiguousError(SEVERAL)
        if not ids:
            return None
        records = [one for one in certain if ids_in(one, self.settings.domain)]
        chosen = next((one for one in records if one.active), records[0])
        matched_on = [
            identifier.position
            for identifier in usable
            if bears(chosen, self._system(identifier), identifier.value)
        ]
        return self._match(chosen, ids.pop(), matched_on)

    def _system(self, identifier: UsableIdentifier) -> str:
        return system_of(identifier.authorities, self.settings.systems)

    def _current(self, patient_id: str) -> str:
        """The id of the patient into whom one was merged; the id itself where the search does not know it."""
        found = self._with_identifier(patient_id)
        match = self._match(found, patient_id, ()) if found else None
        return match.record.patient_id if match else patient_id

    def _ids_of(self, identifier: UsableIdentifier) -> tuple[str, ...] | None:
        """ITI-83: the ids in our domain; () for an unknown identifier, None for an unknown domain."""
        system = self._system(identifier)
        if not system:
            return None
        source = token(system, identifier.value)
        asked = [("sourceIdentifier", source), ("targetSystem", self.settings.domain)]
        reply = self.server.get("Patient/$ihe-pix", asked, self.deadline)
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
        ids = [
            one.value
            for one in identifiers
            if one and one.system == self.settings.domain and one.value
        ]
        if len(ids) != len(identifiers) or (found and not ids):
            raise BrokenAnswerError("a target identifier without a value of our domain")
        return tuple(dict.fromkeys(ids))

    def _with_identifier(self, patient_id: str) -> FhirPatient | None:
        """ITI-78: the one patient with this id of our domain; None without a match. A further page is more than one."""
        asked = [("identifier", token(self.settings.domain, patient_id))]
        bundle = _bundle(self.server.search("Patient", asked, self.deadline), "identifier")
        patients = [found.patient for found in bundle.found]
        if len(patients) > 1 or (patients and bundle.has_more):
            raise IdentityAmbiguousError(SEVERAL)
        if not patients:
            return None
        if not bears(patients[0], self.settings.domain, patient_id):
            raise ConfigurationError("the MPI does not search by identifier")
        return patients[0]

    def _match(
        self, patient: FhirPatient, patient_id: str, matched_on: Sequence[str]
    ) -> Match | None:
        """The patient, or the one that replaced them. None for a patient out of use without a replacement."""
        current = self._replacing(patient)
        if not current.active:
            return None
        ids = ids_in(current, self.settings.domain)
        if len(ids) > 1:
            raise IdentityAmbiguousError("PID-3: the MPI has several ids for the patient")
        if not ids and current is not patient:
            raise BrokenAnswerError("a replacing patient without an id of our domain")
        if not ids:
            return None
        if ids[0] == patient_id:
            return Match(record_of(current, ids[0]), tuple(matched_on))
        # The link alone leads to this id: the MPI must know it for the same patient.
        confirmed = self._with_identifier(ids[0])
        if confirmed is None or ids_in(confirmed, self.settings.domain) != ids:
            raise BrokenAnswerError("the search does not know the id of the replacing patient")
        return Match(record_of(current, ids[0]), tuple(matched_on), (patient_id,))

    def _replacing(self, patient: FhirPatient) -> FhirPatient:
        """The patient at the end of the links `replaced-by`; the patient itself without one."""
        for _ in range(MERGES):
            path = survivor_of(patient)
            if not path:
                return patient
            if not PATIENT_PATH.fullmatch(path):
                raise BrokenAnswerError(
                    "a link to a replacing patient is no reference to a Patient"
                )
            patient = read_patient(self.server.get(path, [], self.deadline).resource)
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
