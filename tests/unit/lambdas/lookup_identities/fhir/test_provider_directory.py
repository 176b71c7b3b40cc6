"""The recipients and addresses of a directory's whole answer, and its damaged answers.

A directory's damaged answer holds the event; it is never read as a provider without an address.
"""

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
    "practitioner": {"reference": "Practitioner/osei"},
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


@pytest.mark.parametrize("version", ["", "/_history/2"])
def test_a_relative_reference_leads_to_the_practitioner(version: str) -> None:
    role = {**ROLE, "practitioner": {"reference": f"Practitioner/osei{version}"}}
    role["endpoint"] = [{"reference": f"Endpoint/mail{version}"}]
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


INCOMPLETE = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "warning", "code": "incomplete"}],
}


@pytest.mark.parametrize("kind", ["Practitioner", "PractitionerRole", "Endpoint"])
def test_an_answer_without_a_part_of_the_sources_is_asked_for_again(kind: str) -> None:
    with pytest.raises(DependencyUnavailableError, match="incomplete"):
        directory(**{kind: bundle(INCOMPLETE)}).validated(PROVIDERS)


ENDED, FUTURE = {"end": "2026-01-31"}, {"start": "2999"}


@pytest.mark.parametrize(
    ("members", "active"),
    [
        ({}, True),
        ({"active": True}, True),
        ({"active": False}, False),
        ({"period": {"start": "2020-01-01T08:00:00Z", "end": "2999-12"}}, True),
        ({"period": ENDED}, False),
        ({"period": FUTURE}, False),
    ],
)
def test_a_role_counts_while_it_is_active_by_its_own_members(
    members: dict[str, Any], active: bool
) -> None:
    found = directory(PractitionerRole=bundle({**ROLE, **members})).validated(PROVIDERS)["PRV-1"]
    assert (found.active, bool(found.address)) == (active, active)


@pytest.mark.parametrize("period", [ENDED, FUTURE])
def test_an_endpoint_out_of_its_period_is_not_used(period: dict[str, Any]) -> None:
    found = directory(Endpoint=bundle({**MAIL, "period": period})).validated(PROVIDERS)["PRV-1"]
    assert (found.active, found.address) == (True, "")


def test_the_providers_own_mailbox_goes_before_a_better_one_of_the_organisation() -> None:
    role = {**ROLE, "organization": {"reference": "Organization/mill"}}
    shared = {
        **MAIL,
        "id": "all",
        "connectionType": {"code": "direct-project"},
        "address": "a@b.example",
    }
    mill = {
        "resourceType": "Organization",
        "id": "mill",
        "endpoint": [{"reference": "Endpoint/all"}],
    }
    answers = {"PractitionerRole": bundle(role), "Organization": bundle(mill, shared)}
    assert directory(**answers).validated(PROVIDERS)["PRV-1"].address == "osei@practice.example"


def test_a_number_out_of_use_names_nobody() -> None:
    other = {**NPI, "value": "1999999992"}
    by_old = {**OSEI, "identifier": [{**NPI, "use": "old"}, other]}
    assert directory(Practitioner=bundle(by_old)).validated(PROVIDERS) == {}
    present = {**OSEI, "identifier": [{**other, "use": "old"}, NPI]}
    assert set(directory(Practitioner=bundle(present)).validated(PROVIDERS)) == {"PRV-1"}


def test_of_two_resources_with_one_number_the_one_in_use_counts() -> None:
    gone = {**OSEI, "id": "duplicate", "active": False}
    for both in ((gone, OSEI), (OSEI, gone)):
        found = directory(Practitioner=bundle(*both)).validated(PROVIDERS)["PRV-1"]
        assert (found.active, found.address) == (True, "osei@practice.example")


def test_of_two_organisations_with_one_number_the_one_in_use_counts() -> None:
    mill = {
        "resourceType": "Organization",
        "id": "mill",
        "identifier": [NPI],
        "endpoint": [{"reference": "Endpoint/mail"}],
    }
    gone = {**mill, "id": "duplicate", "active": False}
    place = {"PRV-1": Provider("PRV-1", npi="1234567893", facility=True)}
    for both in ((gone, mill), (mill, gone)):
        found = directory(Organization=bundle(*both, MAIL)).validated(place)["PRV-1"]
        assert (found.active, found.address) == (True, "osei@practice.example")


@pytest.mark.parametrize("member", ["practitioner", "endpoint", "organization"])
def test_a_resource_of_another_server_is_not_the_one_with_its_id_here(member: str) -> None:
    other = "https://other.example/fhir"
    mill = {
        "resourceType": "Organization",
        "id": "mill",
        "endpoint": [{"reference": "Endpoint/mail"}],
    }
    changes: dict[str, dict[str, Any]] = {
        "practitioner": {"practitioner": {"reference": f"{other}/Practitioner/osei"}},
        "endpoint": {"endpoint": [{"reference": f"{other}/Endpoint/mail"}]},
        "organization": {
            "endpoint": [],
            "organization": {"reference": f"{other}/Organization/mill"},
        },
    }
    role = {**ROLE, **changes[member]}
    answers = {"PractitionerRole": bundle(role), "Organization": bundle(mill, MAIL)}
    found = directory(**answers).validated(PROVIDERS)["PRV-1"]
    assert (found.active, found.address) == (member != "practitioner", "")
