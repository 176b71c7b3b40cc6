"""The `fhir` backend against the FHIR double: PIXm, PDQm, `$match` and mCSD."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from lambdas.common.contracts.message.patient import Patient
from lambdas.common.contracts.message.person import Name
from lambdas.common.errors import (
    ConfigurationError,
    DependencyUnavailableError,
    IdentityAmbiguousError,
    IdentityNotFoundError,
)
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.fhir import http
from lambdas.lookup_identities.fhir.patients import described
from lambdas.lookup_identities.fhir.resources import GRADE
from lambdas.lookup_identities.matching.identifiers import usable_identifiers
from lambdas.lookup_identities.mpi.outcomes import DomainUnknownError, outcome_of
from lambdas.lookup_identities.mpi.settings import MpiSecret
from lambdas.registry.records import Match, Provider
from tests.functional.lambdas.lookup_identities.conftest import Item, RunStep, mpi_sandbox
from tests.functional.lambdas.lookup_identities.fhir.conftest import Configure, find
from tests.functional.lambdas.lookup_identities.world import northgen, patient_event, stored
from tests.support.authorities import ASSERTED
from tests.support.contexts import FunctionSandbox
from tests.support.fhir_index import FhirIndex, check

LINDQVIST, BARROS = "1888888884", "1777777776"


def validated(providers: dict[str, Provider]) -> dict[str, Provider]:
    """The answers of the configured provider directory."""
    asked = mpi_sandbox.context.provider_directory
    assert asked is not None
    return asked.validated(providers)


def test_pixm_and_pdqm_are_asked_as_their_profiles_write(
    configure: Configure, server: FhirIndex
) -> None:
    found = find(northgen("H00412"))
    assert found is not None
    assert (found.record.family, found.record.birth_date, found.record.sex) == (
        *("Okafor", "1958-02-14"),
        "F",
    )
    assert [unquote(line) for line in server.asked] == [
        "GET /fhir/Patient/$ihe-pix?sourceIdentifier=urn:oid:2.16.840.1.113883.3.9999.11|H00412"
        "&targetSystem=urn:oid:2.16.840.1.113883.3.9999.10",
        "POST /fhir/Patient/_search?",
    ]


def test_a_search_is_a_get_where_the_settings_say_so(
    configure: Configure, server: FhirIndex
) -> None:
    configure(search="get")
    assert find(northgen("H00412"))
    assert unquote(server.asked[-1]) == (
        "GET /fhir/Patient?identifier=urn:oid:2.16.840.1.113883.3.9999.10|p-okafor"
    )
    configure(search="both")
    with pytest.raises(ConfigurationError, match="search is not of its type"):
        find(northgen("H00412"))


def test_a_403_is_a_target_domain_that_the_index_does_not_know(configure: Configure) -> None:
    configure(domain="urn:oid:1.2.3")
    with pytest.raises(DomainUnknownError, match="our own"):
        find(northgen("H00412"))


def test_a_posted_search_may_leave_its_parameters_out_of_the_self_link(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = [{"relation": "self", "url": "https://mpi.example/fhir/Patient"}]
    changing(monkeypatch, lambda bundle: bundle.update(link=link))
    assert find(northgen("H00412"))


@pytest.mark.parametrize("status", [403, 405, 422])
def test_a_refusal_that_is_no_outcome_of_the_profile_is_a_configuration_error(
    configure: Configure, server: FhirIndex, status: int
) -> None:
    server.fail_next(status)
    with pytest.raises(ConfigurationError, match=str(status)):
        find(northgen("H00412"))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_in_trouble_is_asked_once_more_and_then_unavailable(
    configure: Configure, server: FhirIndex, status: int
) -> None:
    server.fail_next(status)
    assert find(northgen("H00412"))
    server.fail_next(status, status)
    with pytest.raises(DependencyUnavailableError, match=str(status)):
        find(northgen("H00412"))


def test_a_server_that_is_not_there_is_unavailable(configure: Configure) -> None:
    configure(base_url="http://127.0.0.1:1/fhir")
    with pytest.raises(DependencyUnavailableError):
        find(northgen("H00412"))


def test_match_takes_one_certain_patient_and_names_the_identifiers(
    configure: Configure, server: FhirIndex
) -> None:
    configure(patients="match")
    found = find(northgen("H00412"))
    assert found is not None
    assert (found.record.patient_id, found.matched_on) == ("p-okafor", ("PID-3",))
    assert server.asked == ["POST /fhir/Patient/$match?"]


def test_match_without_one_certain_patient_is_nobody(configure: Configure) -> None:
    configure(patients="match")
    assert find(northgen("H00412"), patient=Patient(name=Name("Brown"))) is None
    lind = Patient(name=Name("Lind"), birth_date="1990-04-17")
    assert find(northgen("H00850"), patient=lind) is None


REGION = "urn:oid:2.16.840.1.113883.3.9999.10"


def graded(*graded_ids: tuple[str, str]) -> list[dict[str, Any]]:
    """Entries of `$match`: each a grade and the patient's id in our domain, "" for none."""
    return [
        {
            "resource": {
                "resourceType": "Patient",
                "identifier": [{"system": REGION, "value": value}] if value else [],
                "id": str(number),
            },
            "search": {"extension": [{"url": GRADE, "valueCode": grade}]},
        }
        for number, (grade, value) in enumerate(graded_ids)
    ]


@pytest.mark.parametrize(
    ("answered", "outcome"),
    [
        ([("certain", "p-1"), ("certain", "p-2")], "ambiguous"),
        ([("possible", "p-1")], "ambiguous"),
        ([("certain", "p-1"), ("certain", "p-1")], "matched"),
        ([("certain", "p-1"), ("certain", "")], "matched"),
        ([("certain", "p-1"), ("probable", "p-2")], "matched"),
        ([("certain", "")], "not_found"),
        ([], "not_found"),
    ],
    ids=[
        *("two persons", "not certain", "two records of one person", "a record without our id"),
        *("a server without onlyCertainMatches", "no id of ours", "nobody"),
    ],
)
def test_match_takes_only_what_is_certainly_one_person(
    configure: Configure,
    monkeypatch: pytest.MonkeyPatch,
    answered: list[tuple[str, str]],
    outcome: str,
) -> None:
    configure(patients="match")
    bundle = {"resourceType": "Bundle", "entry": graded(*answered)}
    monkeypatch.setattr(http.FhirClient, "post", lambda *_: http.FhirResponse(200, bundle))
    found: Match | Exception | None
    try:
        found = find(northgen("H00412"))
    except IdentityAmbiguousError as error:
        found = error
    assert outcome_of(found) == outcome
    if isinstance(found, Match):
        assert found.record.patient_id == "p-1"


def test_match_takes_the_record_in_use_of_one_person(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(patients="match")
    gone, present = graded(("certain", "p-1"), ("certain", "p-1"))
    gone["resource"]["active"] = False
    bundle = {"resourceType": "Bundle", "entry": [gone, present]}
    monkeypatch.setattr(http.FhirClient, "post", lambda *_: http.FhirResponse(200, bundle))
    found = find(northgen("H00412"))
    assert found is not None
    assert found.record.patient_id == "p-1"


def changing(monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], None]) -> None:
    """Has every bundle of a search for patients changed on its way."""
    search = http.FhirClient.search

    def changed(*asked: Any) -> http.FhirResponse:
        reply = search(*asked)
        change(reply.resource)
        return reply

    monkeypatch.setattr(http.FhirClient, "search", changed)


def test_a_patient_who_is_only_the_first_page_is_ambiguous(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    following = {"relation": "next", "url": "https://mpi.example/fhir?page=2"}
    changing(monkeypatch, lambda bundle: bundle["link"].append(following))
    with pytest.raises(IdentityAmbiguousError, match="several patients"):
        find(northgen("H00412"))


def test_two_patients_under_one_id_of_ours_are_ambiguous(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    changing(monkeypatch, lambda bundle: bundle.update(total=2, entry=bundle["entry"] * 2))
    with pytest.raises(IdentityAmbiguousError, match="several patients"):
        find(northgen("H00412"))


def test_a_patient_out_of_use_whom_nobody_replaced_is_nobody(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    changing(monkeypatch, lambda bundle: bundle["entry"][0]["resource"].update(active=False))
    assert find(northgen("H00412")) is None


@pytest.mark.parametrize(
    ("other", "answered"),
    [
        ("https://other.example/fhir/Patient/p-lindqvist", "p-lindqvist"),
        ("Patient/p-brown", "p-lindqvist"),
    ],
    ids=["another server's patient", "another patient than the linked one"],
)
def test_only_the_linked_patient_replaces_one(
    configure: Configure, monkeypatch: pytest.MonkeyPatch, other: str, answered: str
) -> None:
    link = [{"other": {"reference": other}, "type": "replaced-by"}]
    changing(monkeypatch, lambda bundle: bundle["entry"][0]["resource"].update(link=link))
    ask = http.FhirClient.get
    wrong = {"resourceType": "Patient", "id": answered, "identifier": []}

    def get(client: http.FhirClient, path: str, *asked: Any) -> http.FhirResponse:
        reads = path.startswith("Patient/p-")
        return http.FhirResponse(200, wrong) if reads else ask(client, path, *asked)

    monkeypatch.setattr(http.FhirClient, "get", get)
    with pytest.raises(
        DependencyUnavailableError, match=r"no reference to a Patient|another Patient"
    ):
        find(northgen("H00412"))


@pytest.mark.parametrize("query", ["", "?_count=10"])
def test_a_search_that_did_not_search_by_the_identifier_is_not_believed(
    configure: Configure, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    everybody = {
        "resourceType": "Bundle",
        "link": [{"relation": "self", "url": f"https://mpi.example/fhir/Patient{query}"}],
        "entry": graded(("certain", "p-other")),
    }
    monkeypatch.setattr(http.FhirClient, "search", lambda *_: http.FhirResponse(200, everybody))
    with pytest.raises(ConfigurationError, match="does not search by identifier"):
        find(northgen("H00412"))


def test_the_patient_for_match_is_the_example_of_pdqm() -> None:
    usable, _ = usable_identifiers([northgen("H00412")], ASSERTED)
    patient = Patient(name=Name("Okafor", "Amara"), birth_date="1958-02-14", sex="F")
    resource = described(patient, usable, {"NORTHGEN": "urn:oid:2.16.840.1.113883.3.9999.11"})
    check(resource)
    assert resource == {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:oid:2.16.840.1.113883.3.9999.11", "value": "H00412"}],
        "name": [{"family": "Okafor", "given": ["Amara"]}],
        "birthDate": "1958-02-14",
        "gender": "female",
    }


def test_delimiters_of_a_search_in_an_identifier_are_part_of_it(
    configure: Configure, server: FhirIndex
) -> None:
    """FHIR R4 "Search", Escaping Search Parameters: comma, bar, dollar and backslash."""
    assert find(northgen("H00412,H00533")) is None
    assert find(northgen("H1|x$y\\z")) is None
    asked = [unquote(line).partition("|")[2].partition("&")[0] for line in server.asked]
    assert asked == ["H00412\\,H00533", "H1\\|x\\$y\\\\z"]


# -- providers
def provider(provider_id: str, npi: str, address: str = "old@example.org") -> Provider:
    return Provider(provider_id, Name("X"), npi, address)


def test_a_directory_says_who_is_active_and_where_they_are_written_to(
    configure: Configure, server: FhirIndex
) -> None:
    known = {
        "dr-lindqvist": provider("dr-lindqvist", LINDQVIST),
        "dr-barros": provider("dr-barros", BARROS),
        "dr-none": provider("dr-none", ""),
        "dr-gone": provider("dr-gone", "1999999992"),
    }
    found = validated(known)
    assert set(found) == {"dr-lindqvist", "dr-barros"}
    lindqvist = found["dr-lindqvist"]
    assert lindqvist.address == "petra.lindqvist@millclinic.example"
    assert lindqvist.name.display() == "Dr Petra Lindqvist"
    assert (lindqvist.active, found["dr-barros"].address) == (True, "")
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("kind", "resource_id", "members", "active", "address"),
    [
        ("Practitioner", "dr-lindqvist", {"active": False}, False, True),
        ("PractitionerRole", "role-dr-lindqvist", {"active": False}, False, False),
        ("Organization", "practice-dr-lindqvist", {"active": False}, True, False),
        ("Endpoint", "mail-dr-lindqvist", {"status": "off"}, True, False),
        (
            "Endpoint",
            "mail-dr-lindqvist",
            {"connectionType": {"system": "x", "code": "hl7-fhir-rest"}},
            True,
            False,
        ),
    ],
)
def test_what_a_directory_no_longer_offers_is_not_used(
    configure: Configure,
    server: FhirIndex,
    kind: str,
    resource_id: str,
    members: dict[str, Any],
    active: bool,
    address: bool,
) -> None:
    server.directory.change(kind, resource_id, **members)
    found = validated({"dr-lindqvist": provider("dr-lindqvist", LINDQVIST)})
    assert found["dr-lindqvist"].active is active
    assert bool(found["dr-lindqvist"].address) is address


def test_the_endpoint_of_the_role_goes_before_that_of_its_organisation(
    configure: Configure, server: FhirIndex
) -> None:
    reference = {"reference": "Endpoint/mail-dr-chen"}
    server.directory.change("PractitionerRole", "role-dr-lindqvist", endpoint=[reference])
    found = validated({"dr-lindqvist": provider("dr-lindqvist", LINDQVIST)})
    assert found["dr-lindqvist"].address == "wei.chen@heartcare.example"


def test_every_page_of_a_directory_is_read_from_the_server_of_the_settings(
    configure: Configure, server: FhirIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server may send fewer resources a page than `_count`: section 3.1.1.5.7 of FHIR R4 "Search"."""
    ask = http.FhirClient.get

    def first_page(client: http.FhirClient, kind: str, *asked: Any) -> http.FhirResponse:
        reply = ask(client, kind, *asked)
        bundle = reply.resource
        address = bundle["link"][0]["url"].replace(server.url, "https://inner.example")
        following = {"relation": "next", "url": address}
        return http.FhirResponse(200, {**bundle, "entry": [], "link": [following]})

    monkeypatch.setattr(http.FhirClient, "get", first_page)
    found = validated({"dr-lindqvist": provider("dr-lindqvist", LINDQVIST)})
    assert found["dr-lindqvist"].address == "petra.lindqvist@millclinic.example"


def test_pages_without_an_end_are_a_configuration_error(
    configure: Configure, server: FhirIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = [{"relation": "next", "url": "/fhir/Practitioner?page=2"}]
    page = http.FhirResponse(200, {"resourceType": "Bundle", "link": link})
    monkeypatch.setattr(http.FhirClient, "_ask", lambda *_: page)
    with pytest.raises(ConfigurationError, match="more than 10 pages"):
        validated({"dr-lindqvist": provider("dr-lindqvist", LINDQVIST)})


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("npi", "address"),
    [("1666666668", "wei.chen@heartcare.example"), ("1999999992", ""), ("", "")],
    ids=["known to the directory", "unknown to it", "without an NPI"],
)
def test_a_fallback_is_told_at_the_directorys_address_or_not_at_all(
    configure: Configure,
    context: LookupContext,
    run_step: RunStep,
    file_item: Callable[[Item], None],
    npi: str,
    address: str,
) -> None:
    """The directory decides name, activity and address (docs/identity.md)."""
    for who, number, more in (
        ("dr-lindqvist", LINDQVIST, {"surrogate": "dr-second"}),
        ("dr-second", npi, {}),
    ):
        item = {"provider_id": who, "npi": number, "email": f"{who}@old.example", **more}
        file_item({"pk": f"provider#{who}", "sk": "provider", "family": who, **item})
    result = run_step(patient_event(northgen("H00412")))
    found = stored(context, result["version_id"])
    assert [one.address for one in found.recipients] == ["petra.lindqvist@millclinic.example"]
    assert [one.address for one in found.fallbacks] == ([address] if address else [])
    assert bool(found.recipients[0].fallback_ref) is bool(address)


@pytest.mark.usefixtures("registry")
def test_the_step_tells_whom_index_and_directory_agree_on(
    configure: Configure, run_step: RunStep
) -> None:
    configure()
    assert run_step(patient_event(northgen("H00412")))["recipient_count"] == 1
    with pytest.raises(IdentityNotFoundError):
        run_step(patient_event(northgen("H99999")))


@pytest.mark.usefixtures("registry", "configure")
def test_the_step_makes_its_clients_anew_when_their_secret_has_changed(
    run_step: RunStep, sandbox: FunctionSandbox[LookupContext]
) -> None:
    run_step(patient_event(northgen("H00412")))
    made = sandbox.context.__dict__
    before = made["mpi_client"], made["provider_directory"]
    made["mpi_secret"] = MpiSecret(key_id="earlier")
    run_step(patient_event(northgen("H00412")))
    assert made["mpi_client"] is not before[0]
    assert made["provider_directory"] is not before[1]
