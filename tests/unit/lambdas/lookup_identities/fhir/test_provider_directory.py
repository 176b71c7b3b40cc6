"""A directory's damaged answer holds the event; it is never read as a provider without an address."""

from collections.abc import Sequence
from typing import Any

import pytest

from lambdas.common.errors import DependencyUnavailableError
from lambdas.lookup_identities.fhir.http import FhirResponse
from lambdas.lookup_identities.fhir.provider_directory import FhirProviderDirectory
from lambdas.lookup_identities.mpi.circuit_breaker import FAILURES, Breaker
from lambdas.lookup_identities.mpi.connection import Deadline
from lambdas.registry.records import Provider

NPI = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}
OSEI = {
    "resourceType": "Practitioner",
    "id": "osei",
    "active": True,
    "identifier": [NPI],
    "name": [{"family": "Osei", "given": ["Kofi"]}],
}
ROLE = {
    "resourceType": "PractitionerRole",
    "id": "role",
    "practitioner": {"reference": "https://directory.example/fhir/Practitioner/osei"},
    "endpoint": [{"reference": "Endpoint/mail"}],
}
MAIL = {
    "resourceType": "Endpoint",
    "id": "mail",
    "status": "active",
    "connectionType": {"code": "secure-email"},
    "address": "mailto:osei@practice.example",
}
PROVIDERS = {"PRV-1": Provider("PRV-1", npi="1234567893")}


def bundle(*resources: dict[str, Any], **members: Any) -> dict[str, Any]:
    entry = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entry, **members}


class DirectoryAnswers:
    """A directory's server that answers every search for one type with one document."""

    def __init__(self, **documents: dict[str, Any]) -> None:
        whole = {
            "Practitioner": bundle(OSEI),
            "PractitionerRole": bundle(ROLE),
            "Endpoint": bundle(MAIL),
        }
        self.documents = {**whole, **documents}

    def get(self, kind: str, _: Sequence[tuple[str, str]], __: Deadline) -> FhirResponse:
        return FhirResponse(200, self.documents[kind])


def directory(**documents: dict[str, Any]) -> FhirProviderDirectory:
    server: Any = DirectoryAnswers(**documents)
    return FhirProviderDirectory(server, Breaker("the directory"))


def test_a_whole_answer_gives_the_address() -> None:
    found = directory().validated(PROVIDERS)["PRV-1"]
    assert (found.address, found.active, found.name.family) == (
        *("osei@practice.example", True),
        "Osei",
    )


@pytest.mark.parametrize("base", ["", "https://directory.example/fhir/"])
@pytest.mark.parametrize("version", ["", "/_history/2"])
def test_every_form_of_a_literal_reference_leads_to_the_practitioner(
    base: str, version: str
) -> None:
    """Section 2.3.0.1 of https://hl7.org/fhir/R4/references.html."""
    role = {**ROLE, "practitioner": {"reference": f"{base}Practitioner/osei{version}"}}
    role["endpoint"] = [{"reference": f"{base}Endpoint/mail{version}"}]
    found = directory(PractitionerRole=bundle(role)).validated(PROVIDERS)["PRV-1"]
    assert (found.address, found.active) == ("osei@practice.example", True)


@pytest.mark.parametrize(
    "documents",
    [
        {"Practitioner": bundle({**OSEI, "id": None})},
        {"Practitioner": bundle({k: v for k, v in OSEI.items() if k != "id"})},
        {"Practitioner": bundle({**OSEI, "identifier": NPI})},
        {"Practitioner": bundle({**OSEI, "name": ["Osei"]})},
        {"Practitioner": bundle({**OSEI, "activf": False})},
        {"Practitioner": bundle({**OSEI, "resourceType": "Pracuitioner"})},
        {"Practitioner": bundle({**OSEI, "resourceType": ["Practitioner"]})},
        {"Practitioner": bundle(link=[{}])},
        {"Practitioner": {}},
        {"PractitionerRole": bundle({**ROLE, "practitioner": "Practitioner/osei"})},
        {"PractitionerRole": {"resourceType": "Bundle", "entry": [{}]}},
        {"PractitionerRole": bundle({**ROLE, "endpoinu": ROLE["endpoint"]})},
        {"Endpoint": bundle({**MAIL, "connectionType": "secure-email"})},
        {"Endpoint": bundle({**MAIL, "address": 1})},
        {"Endpoint": bundle({**MAIL, "addrezs": MAIL["address"]})},
        {"Endpoint": {"resourceType": "OperationOutcome"}},
    ],
)
def test_a_damaged_answer_is_asked_for_again_later(documents: dict[str, dict[str, Any]]) -> None:
    damaged = directory(**documents)
    for _ in range(FAILURES + 1):
        with pytest.raises(DependencyUnavailableError, match="the directory's answer is broken"):
            damaged.validated(PROVIDERS)
