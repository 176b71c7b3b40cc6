"""A provider directory over FHIR: mCSD (ITI-90), by National Provider Identifier.

Practitioner, then PractitionerRole, then the endpoints of the role; where the role has none, those of
its organisation, since `PractitionerRole:endpoint` is no search that a directory must support. All
providers of a patient are asked for at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from lambdas.common.clock import now
from lambdas.common.contracts.message.person import Name
from lambdas.common.errors import ConfigurationError
from lambdas.lookup_identities.fhir.http import FhirClient, escaped, token
from lambdas.lookup_identities.fhir.references import Document
from lambdas.lookup_identities.fhir.resources import (
    DirectoryReference,
    DirectoryResources,
    FhirEndpoint,
    FhirIdentifier,
    FhirName,
    read_directory,
)
from lambdas.lookup_identities.mpi import connection
from lambdas.lookup_identities.mpi.circuit_breaker import Breaker
from lambdas.lookup_identities.mpi.connection import Deadline
from lambdas.registry.records import Provider

NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"
MAIL_TYPES = ("direct-project", "secure-email")
"""Connection types whose address a mail can be sent to, the better first."""

COUNT = ("_count", "200")
MAX_PAGES = 10
INCLUDE = ("_include", "Organization:endpoint")


@dataclass(frozen=True, slots=True)
class FhirProviderDirectory:
    """A provider directory at a FHIR server."""

    server: FhirClient
    breaker: Breaker = field(default_factory=lambda: Breaker("the directory"))

    def validated(self, providers: Mapping[str, Provider]) -> dict[str, Provider]:
        """The providers as the directory has them now: name, activity, address.

        One without NPI, or whom the directory does not know, is absent. Raises `ConfigurationError`
        and `DependencyUnavailableError`, the latter also for a damaged answer.
        """
        people = {p.npi: p for p in providers.values() if p.npi and not p.facility}
        places = {p.npi: p for p in providers.values() if p.npi and p.facility}
        question = _Question(self.server, Deadline.after(connection.TOTAL_SECONDS / 2))
        with self.breaker.guard():
            return {**question.people(people), **question.places(places)}


@dataclass(frozen=True, slots=True)
class _Question:
    """The searches for a patient's providers, which end by one deadline."""

    server: FhirClient
    deadline: Deadline

    def people(self, known: Mapping[str, Provider]) -> dict[str, Provider]:
        """The people of these NPIs whom the directory knows, by provider id."""
        if not known:
            return {}
        found = self._search("Practitioner", _by_npi(known)).practitioners
        practitioners = {f"Practitioner/{one.id}": one for one in found}
        if not practitioners:
            return {}
        today = now()[:10]
        # No search by `active`: it leaves out a role without the member, which is active too.
        asked = ("practitioner", ",".join(map(escaped, practitioners)))
        roles = [
            role
            for role in self._search("PractitionerRole", asked).roles
            if role.active and role.period.holds(today)
        ]
        of_roles = self._by_id("Endpoint", (e for role in roles for e in role.endpoint))
        found_places = self._by_id("Organization", (role.organization for role in roles), INCLUDE)
        of_organizations = {
            f"Organization/{one.id}": found_places.linked(one.endpoint)
            for one in found_places.organizations
            if one.active
        }
        validated_ones: dict[str, Provider] = {}
        for reference, practitioner in practitioners.items():
            own = [role for role in roles if role.practitioner.target == reference]
            endpoints = of_roles.linked(e for role in own for e in role.endpoint)
            of_places = [
                e for role in own for e in of_organizations.get(role.organization.target, ())
            ]
            if provider := known.get(_npi(practitioner.identifier)):
                found_one = replace(
                    provider,
                    name=_name(practitioner.name, provider.name),
                    # A provider without an active role works nowhere at present.
                    active=practitioner.active and bool(own),
                    address=_address(endpoints) or _address(of_places),
                )
                _take(validated_ones, found_one)
        return validated_ones

    def places(self, known: Mapping[str, Provider]) -> dict[str, Provider]:
        """The facilities of these NPIs that the directory knows, by provider id."""
        if not known:
            return {}
        found = self._search("Organization", _by_npi(known), INCLUDE)
        places: dict[str, Provider] = {}
        for one in found.organizations:
            if provider := known.get(_npi(one.identifier)):
                address = _address(found.linked(one.endpoint))
                _take(places, replace(provider, active=one.active, address=address))
        return places

    def _by_id(
        self, kind: str, references: Iterable[DirectoryReference], *more: tuple[str, str]
    ) -> DirectoryResources:
        """The resources to which the references lead, without those of other servers."""
        targets = {reference.target.partition("/")[2] for reference in references}
        ids = sorted(one for one in targets if one and "/" not in one)
        if not ids:
            return DirectoryResources()
        return self._search(kind, ("_id", ",".join(map(escaped, ids))), *more)

    def _search(self, kind: str, *parameters: tuple[str, str]) -> DirectoryResources:
        """The resources of all pages of a search, the included ones among them.

        A server may send fewer resources a page than `_count` (FHIR R4 "Search", Page Count).
        """
        reply = self.server.get(kind, [*parameters, COUNT], self.deadline)
        pages: list[Document] = []
        for _ in range(MAX_PAGES):
            if reply.status != 200:
                raise ConfigurationError(
                    f"the directory does not take the query: HTTP {reply.status}"
                )
            pages.append(reply.resource)
            found = read_directory(pages)
            if not found.next_page:
                return found
            reply = self.server.following(found.next_page, self.deadline)
        raise ConfigurationError(f"the directory answers in more than {MAX_PAGES} pages")


def _take(chosen: dict[str, Provider], found: Provider) -> None:
    """Adds a provider. Of several resources with one NPI the first counts that can be told."""
    before = chosen.get(found.provider_id)
    if before is None or not (before.active and before.address):
        chosen[found.provider_id] = found


def _by_npi(known: Mapping[str, Provider]) -> tuple[str, str]:
    return "identifier", ",".join(token(NPI_SYSTEM, npi) for npi in sorted(known))


def _npi(identifiers: Iterable[FhirIdentifier]) -> str:
    found = (one.value for one in identifiers if one.system == NPI_SYSTEM and one.use != "old")
    return next(found, "")


def _address(endpoints: Iterable[FhirEndpoint]) -> str:
    """The address of the best active endpoint that takes mail; "" when there is none."""
    today = now()[:10]
    usable = [one for one in endpoints if one.status == "active" and one.period.holds(today)]
    fitting = (one for kind in MAIL_TYPES for one in usable if one.connection_type.code == kind)
    return next((one.address.removeprefix("mailto:") for one in fitting), "")


def _name(names: Iterable[FhirName], before: Name) -> Name:
    present = [name for name in names if name.use not in ("maiden", "old")]
    if not present:
        return before
    first = present[0]
    return Name(
        family=first.family, given=" ".join(first.given[:1]), prefix=" ".join(first.prefix[:1])
    )
