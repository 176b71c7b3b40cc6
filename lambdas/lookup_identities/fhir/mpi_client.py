"""A master patient index over FHIR: PIXm and PDQm, or `$match` where the server has no `$ihe-pix`.

IHE ITI PIXm (ITI-83), PDQm (ITI-78, ITI-119). HAPI FHIR's MDM has `$match` alone: settings `patients`
is `pixm` (the default) or `match`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.patient import Patient
from lambdas.common.errors import ConfigurationError, IdentityAmbiguousError
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.fhir.http import FhirClient, FhirResponse, entries, has_more
from lambdas.lookup_identities.fhir.patients import (
    bears,
    described,
    ids_in,
    record_of,
    survivor_of,
    system_of,
)
from lambdas.lookup_identities.matching.identifiers import UsableIdentifier, one_patient
from lambdas.lookup_identities.mpi import connection
from lambdas.lookup_identities.mpi.circuit_breaker import Breaker
from lambdas.lookup_identities.mpi.connection import Deadline
from lambdas.lookup_identities.mpi.outcomes import OUR_DOMAIN, DomainUnknownError
from lambdas.lookup_identities.registry.records import Match

SEVERAL = "PID-3: the index knows several patients"
GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
MERGES = 3

Document = dict[str, Any]


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


def from_context(context: LookupContext) -> FhirMpiClient:
    """The MPI of the settings. Raises `ConfigurationError` where they are incomplete."""
    settings = context.settings.mpi
    if not settings.get("domain"):
        raise ConfigurationError("ENS_MPI_SETTINGS lacks domain")
    by_match = settings.get("patients", "pixm") == "match"
    place = IdentifierSystems(settings["domain"], dict(settings.get("systems", {})), by_match)
    return FhirMpiClient(context.fhir_client, place, Breaker("the index"))


def _by_pixm(
    server: FhirClient,
    usable: Sequence[UsableIdentifier],
    place: IdentifierSystems,
    deadline: Deadline,
) -> Match | None:
    candidates: dict[tuple[str, str], tuple[str, ...]] = {}
    foreign, known = [], False
    for identifier in usable:
        system = system_of(identifier.authorities, place.systems)
        ids = (
            _cross_referenced(server, system, identifier.value, place, deadline) if system else None
        )
        if ids is None:
            foreign.append(identifier.position)
        else:
            known = True
            candidates[identifier.pairs()[0]] = ids
    if foreign and not known:
        raise DomainUnknownError(", ".join(foreign))
    patient_id, matched_on = one_patient(usable, candidates)
    if not patient_id:
        return None
    asked = [("identifier", f"{place.domain}|{patient_id}")]
    found = _one(_bundle(server.search("Patient", asked, deadline), "identifier"))
    if found is None:
        return None
    if not bears(found, place.domain, patient_id):
        raise ConfigurationError("the index does not search by identifier")
    warnings = tuple(MessageWarning(WarningCode.AUTHORITY_UNKNOWN, where) for where in foreign)
    match = _match(server, found, patient_id, matched_on, place, deadline=deadline)
    return replace(match, warnings=warnings) if match else None


def _cross_referenced(
    server: FhirClient, system: str, value: str, place: IdentifierSystems, deadline: Deadline
) -> tuple[str, ...] | None:
    """ITI-83: the ids in our domain; none for an unknown identifier, None for an unknown domain."""
    if system == place.domain:
        return (value,)  # the source identifier is never in the answer
    asked = [("sourceIdentifier", f"{system}|{value}"), ("targetSystem", place.domain)]
    reply = server.get("Patient/$ihe-pix", asked, deadline)
    if reply.status == 404:
        return ()
    if reply.status == 400 and "code-invalid" in reply.issue_codes():
        return None
    if reply.status == 403 and "code-invalid" in reply.issue_codes():
        # Not a matter of permission: ITI-83 answers so for a target domain that it does not know.
        raise DomainUnknownError(OUR_DOMAIN)
    if reply.status != 200 or reply.resource.get("resourceType") != "Parameters":
        raise ConfigurationError(f"the index does not take the query: HTTP {reply.status}")
    identifiers = (
        parameter.get("valueIdentifier", {})
        for parameter in reply.resource.get("parameter", ())
        if parameter.get("name") == "targetIdentifier"
    )
    found = (i.get("value", "") for i in identifiers if i.get("system") == place.domain)
    return tuple(dict.fromkeys(one for one in found if one))


def _by_match(
    server: FhirClient,
    usable: Sequence[UsableIdentifier],
    patient: Patient,
    place: IdentifierSystems,
    *,
    deadline: Deadline,
) -> Match | None:
    """ITI-119. Two are asked for, so that ambiguity shows; only one that is certain is taken.

    HAPI FHIR knows no `onlyCertainMatches`: what it adds is left out here. Several records with one id
    of our domain are one person.
    """
    parameters = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "resource", "resource": described(patient, usable, place.systems)},
            {"name": "onlyCertainMatches", "valueBoolean": True},
            {"name": "count", "valueInteger": 2},
        ],
    }
    found = entries(_bundle(server.post("Patient/$match", parameters, deadline)), "Patient")
    if not found:
        return None
    certain = [entry["resource"] for entry in found if _is_certain(entry)]
    ids = {known for resource in certain for known in ids_in(resource, place.domain)}
    if len(ids) > 1 or not certain:
        raise IdentityAmbiguousError(SEVERAL)
    if not ids:
        return None
    resource = next(one for one in certain if ids_in(one, place.domain))
    matched_on = [
        identifier.position
        for identifier in usable
        if bears(resource, system_of(identifier.authorities, place.systems), identifier.value)
    ]
    return _match(server, resource, ids.pop(), matched_on, place, deadline=deadline)


def _is_certain(entry: Document) -> bool:
    grades = {
        extension.get("valueCode")
        for extension in entry.get("search", {}).get("extension", ())
        if extension.get("url") == GRADE
    }
    return grades == {"certain"}


def _match(
    server: FhirClient,
    resource: Document,
    patient_id: str,
    matched_on: Sequence[str],
    place: IdentifierSystems,
    *,
    deadline: Deadline,
) -> Match | None:
    """The patient, or who replaced them. A patient out of use whom nobody replaced is nobody."""
    asked = patient_id
    for _ in range(MERGES):
        reference = survivor_of(resource)
        if not reference:
            break
        path = "/".join(reference.split("/")[-2:])
        resource = server.get(path, [], deadline).resource
    if survivor_of(resource) or resource.get("active") is False:
        return None
    ids = ids_in(resource, place.domain)
    if len(ids) > 1:
        raise IdentityAmbiguousError("PID-3: the index has several ids for the patient")
    if not ids:
        return None
    merged = () if ids[0] == asked else (asked,)
    return Match(record_of(resource, ids[0]), tuple(matched_on), merged)


def _one(bundle: Document) -> Document | None:
    """The one patient of a search; None for nobody. A further page is more than one."""
    found = [entry["resource"] for entry in entries(bundle, "Patient")]
    if len(found) > 1 or (found and has_more(bundle)):
        raise IdentityAmbiguousError(SEVERAL)
    return found[0] if found else None


def _bundle(reply: FhirResponse, parameter: str = "") -> Document:
    """The bundle of an answer; an empty one for an unknown domain (PDQm: 404).

    Raises `ConfigurationError` for a server that refuses, or that did not search by `parameter`:
    its self link says what it searched by (of a posted search some leave all of it out).
    """
    if reply.status == 404:
        return {}
    if reply.status != 200 or reply.resource.get("resourceType") != "Bundle":
        raise ConfigurationError(f"the index does not take the query: HTTP {reply.status}")
    own = [link["url"] for link in reply.resource.get("link", ()) if link.get("relation") == "self"]
    told = own and "?" in own[0]
    if parameter and told and f"{parameter}=" not in own[0]:
        raise ConfigurationError(f"the index does not search by {parameter}")
    return reply.resource
