"""A provider directory over FHIR: mCSD (ITI-90), by National Provider Identifier.

Practitioner, then PractitionerRole, then the endpoints of the role; where the role has none, those of
its organisation, since `PractitionerRole:endpoint` is no search that a directory must support. All
providers of a patient are asked for at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from lambdas.common.contracts.person import Name
from lambdas.common.errors import ConfigurationError
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.fhir.http import (
    Document,
    FhirClient,
    entries,
    escaped,
    has_more,
    token,
)
from lambdas.lookup_identities.mpi import connection
from lambdas.lookup_identities.mpi.circuit_breaker import Breaker
from lambdas.lookup_identities.mpi.connection import Deadline
from lambdas.registry.records import Provider

NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"
MAIL_TYPES = ("direct-project", "secure-email")
"""Connection types whose address a mail can be sent to, the better first."""

COUNT = ("_count", "200")

Parameters = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class FhirProviderDirectory:
    """A provider directory at a FHIR server."""

    server: FhirClient
    breaker: Breaker

    def validated(self, providers: Mapping[str, Provider]) -> dict[str, Provider]:
        """The providers as the directory has them now: name, activity, address.

        One without NPI, or whom the directory does not know, is absent. Raises `ConfigurationError`
        and `DependencyUnavailableError`.
        """
        people = {p.npi: p for p in providers.values() if p.npi and not p.facility}
        places = {p.npi: p for p in providers.values() if p.npi and p.facility}
        deadline = Deadline.after(connection.TOTAL_SECONDS / 2)
        with self.breaker.guard():
            return {
                **_people(self.server, people, deadline),
                **_places(self.server, places, deadline),
            }


def from_context(context: LookupContext) -> FhirProviderDirectory:
    """The directory of the settings."""
    return FhirProviderDirectory(context.fhir_client, Breaker("the directory"))


def _people(
    server: FhirClient, known: Mapping[str, Provider], deadline: Deadline
) -> dict[str, Provider]:
    if not known:
        return {}
    found = _search(server, "Practitioner", [_by_npi(known)], deadline)
    practitioners = {f"Practitioner/{r['id']}": r for r in found["Practitioner"]}
    if not practitioners:
        return {}
    asked = [("practitioner", ",".join(map(escaped, practitioners))), ("active", "true")]
    roles = _search(server, "PractitionerRole", asked, deadline)["PractitionerRole"]
    organizations = {_reference(role.get("organization")) for role in roles} - {""}
    by_organization = _organization_endpoints(server, "_id", organizations, deadline)
    of_roles = _endpoints(
        server, {_reference(e) for role in roles for e in role.get("endpoint", ())}, deadline
    )
    validated_ones = {}
    for reference, resource in practitioners.items():
        own = [r for r in roles if _reference(r.get("practitioner")) == reference]
        endpoints = [of_roles.get(_reference(e), {}) for r in own for e in r.get("endpoint", ())]
        endpoints += [
            endpoint
            for role in own
            for endpoint in by_organization.get(_reference(role.get("organization")), ())
        ]
        provider = known.get(_npi(resource))
        if provider:
            validated_ones[provider.provider_id] = replace(
                provider,
                name=_name(resource, provider.name),
                # A provider without an active role works nowhere at present.
                active=resource.get("active") is not False and bool(own),
                address=_address(endpoints),
            )
    return validated_ones


def _places(
    server: FhirClient, known: Mapping[str, Provider], deadline: Deadline
) -> dict[str, Provider]:
    if not known:
        return {}
    found = _search(
        server, "Organization", [_by_npi(known), ("_include", "Organization:endpoint")], deadline
    )
    endpoints = {f"Endpoint/{r['id']}": r for r in found["Endpoint"]}
    return {
        known[_npi(resource)].provider_id: replace(
            known[_npi(resource)],
            active=resource.get("active") is not False,
            address=_address(
                endpoints.get(_reference(e), {}) for e in resource.get("endpoint", ())
            ),
        )
        for resource in found["Organization"]
        if _npi(resource) in known
    }


def _organization_endpoints(
    server: FhirClient, parameter: str, references: set[str], deadline: Deadline
) -> dict[str, list[Document]]:
    if not references:
        return {}
    ids = ",".join(sorted(escaped(reference.rpartition("/")[2]) for reference in references))
    asked = [(parameter, ids), ("_include", "Organization:endpoint")]
    found = _search(server, "Organization", asked, deadline)
    endpoints = {f"Endpoint/{r['id']}": r for r in found["Endpoint"]}
    return {
        f"Organization/{r['id']}": [endpoints.get(_reference(e), {}) for e in r.get("endpoint", ())]
        for r in found["Organization"]
        if r.get("active") is not False
    }


def _endpoints(server: FhirClient, references: set[str], deadline: Deadline) -> dict[str, Document]:
    wanted = sorted(reference.rpartition("/")[2] for reference in references if reference)
    if not wanted:
        return {}
    found = _search(server, "Endpoint", [("_id", ",".join(map(escaped, wanted)))], deadline)
    return {f"Endpoint/{resource['id']}": resource for resource in found["Endpoint"]}


def _search(
    server: FhirClient, kind: str, parameters: Parameters, deadline: Deadline
) -> dict[str, list[Document]]:
    """The resources of a search by their type, what was included among them."""
    reply = server.get(kind, [*parameters, COUNT], deadline)
    if reply.status != 200 or reply.resource.get("resourceType") != "Bundle":
        raise ConfigurationError(f"the directory does not take the query: HTTP {reply.status}")
    if has_more(reply.resource):
        raise ConfigurationError("the directory answers a circle of care in more than one page")
    kinds = ("Practitioner", "PractitionerRole", "Organization", "Endpoint")
    return {name: [e["resource"] for e in entries(reply.resource, name)] for name in kinds}


def _by_npi(known: Mapping[str, Provider]) -> tuple[str, str]:
    return "identifier", ",".join(token(NPI_SYSTEM, npi) for npi in sorted(known))


def _npi(resource: Document) -> str:
    found = (i for i in resource.get("identifier", ()) if i.get("system") == NPI_SYSTEM)
    return next((i.get("value", "") for i in found), "")


def _reference(reference: Document | None) -> str:
    """`Practitioner/x` of a reference, also of an absolute one."""
    return "/".join((reference or {}).get("reference", "").split("/")[-2:])


def _address(endpoints: Iterable[Document]) -> str:
    """The address of the best active endpoint that takes mail; "" when there is none."""
    usable = [e for e in endpoints if e.get("status") == "active"]
    for kind in MAIL_TYPES:
        for endpoint in usable:
            if _connection_code(endpoint) == kind:
                address: str = endpoint.get("address", "")
                return address.removeprefix("mailto:")
    return ""


def _connection_code(endpoint: Document) -> str:
    code: str = endpoint.get("connectionType", {}).get("code", "")
    return code


def _name(resource: Document, before: Name) -> Name:
    names = [n for n in resource.get("name", ()) if n.get("use") not in ("maiden", "old")]
    if not names:
        return before
    first = names[0]
    return Name(
        family=first.get("family", ""),
        given=" ".join(first.get("given", ())[:1]),
        prefix=" ".join(first.get("prefix", ())[:1]),
    )
