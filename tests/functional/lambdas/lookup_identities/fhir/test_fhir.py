"""The `fhir` backend against the FHIR double: PIXm, PDQm, `$match`, mCSD, and the token they need."""

import base64
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from lambdas.common.contracts.patient import Patient, PatientIdentifier
from lambdas.common.contracts.person import Name
from lambdas.common.errors import (
    ConfigurationError,
    DependencyUnavailableError,
    IdentityAmbiguousError,
    IdentityNotFoundError,
)
from lambdas.lookup_identities.fhir import http, oauth
from lambdas.lookup_identities.fhir.patients import described
from lambdas.lookup_identities.fhir.resources import GRADE
from lambdas.lookup_identities.matching.identifiers import usable_identifiers
from lambdas.lookup_identities.mpi import connection
from lambdas.lookup_identities.mpi.outcomes import DomainUnknownError, outcome_of
from lambdas.lookup_identities.registry.records import Match, Provider
from tests.functional.lambdas.lookup_identities.conftest import RunStep, mpi_sandbox, set_mpi_secret
from tests.functional.lambdas.lookup_identities.test_handler import northgen, patient_event
from tests.support.authorities import ASSERTED
from tests.support.fhir_index import FhirIndex, check, fhir_index
from tests.support.tls import authority, context_for, pem_of

OKAFOR = Patient(name=Name("OKAFOR", "AMARA"), birth_date="1958-02-14", sex="F")
LINDQVIST, BARROS = "1888888884", "1777777776"

Configure = Callable[..., None]


@pytest.fixture
def server(environment: dict[str, str]) -> Iterator[FhirIndex]:
    with fhir_index() as running:
        yield running
        mpi_sandbox.end()


@pytest.fixture
def configure(server: FhirIndex, monkeypatch: pytest.MonkeyPatch) -> Configure:
    def set_up(**more: Any) -> None:
        mpi_sandbox.end()
        monkeypatch.setenv("ENS_MPI_CLIENT", "fhir")
        monkeypatch.setenv("ENS_PROVIDER_DIRECTORY", "fhir")
        monkeypatch.setenv("ENS_MPI_SETTINGS", json.dumps({**server.settings, **more}))

    set_up()
    return set_up


def find(*identifiers: PatientIdentifier, patient: Patient = OKAFOR) -> Match | None:
    usable, _ = usable_identifiers(identifiers, ASSERTED)
    searched = mpi_sandbox.context.mpi_client
    assert searched is not None
    return searched.find(usable, patient)


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


def test_a_circle_of_care_in_several_pages_is_not_used_in_part(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = http.FhirClient.get

    def paged(*asked: Any) -> http.FhirResponse:
        reply = ask(*asked)
        reply.resource["link"].append({"relation": "next", "url": "https://mpi.example/fhir?2"})
        return reply

    monkeypatch.setattr(http.FhirClient, "get", paged)
    with pytest.raises(ConfigurationError, match="more than one page"):
        validated({"dr-lindqvist": provider("dr-lindqvist", LINDQVIST)})


@pytest.mark.usefixtures("registry")
def test_the_step_tells_whom_index_and_directory_agree_on(
    configure: Configure, run_step: RunStep
) -> None:
    configure()
    assert run_step(patient_event(northgen("H00412")))["recipient_count"] == 1
    with pytest.raises(IdentityNotFoundError):
        run_step(patient_event(northgen("H99999")))


# -- OAuth2
KEYS: dict[str, Any] = {
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "RS384": rsa.generate_private_key(65537, 2048),
}


def decoded(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def verified(form: Mapping[str, str], audience: str, public: Any) -> dict[str, Any]:
    """The claims of an assertion, its signature checked as an authorisation server does."""
    head, claims, signature = form["client_assertion"].split(".")
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    signed = f"{head}.{claims}".encode()
    if decoded(head)["alg"] == "ES384":
        der = encode_dss_signature(int.from_bytes(raw[:48]), int.from_bytes(raw[48:]))
        public.verify(der, signed, ec.ECDSA(hashes.SHA384()))
    else:
        public.verify(raw, signed, padding.PKCS1v15(), hashes.SHA384())
    said: dict[str, Any] = decoded(claims)
    assert said["aud"] == audience
    assert said["iss"] == said["sub"] == "hl7-ens"
    assert 0 < said["exp"] - said["iat"] <= 300
    return said


@pytest.mark.parametrize("algorithm", list(KEYS))
def test_a_signed_assertion_gets_a_token_that_is_used_until_it_ends(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    seen: list[str] = []

    def authorize(form: Mapping[str, str]) -> str | None:
        assert form["grant_type"] == "client_credentials"
        assert form["client_assertion_type"] == oauth.ASSERTION_TYPE
        seen.append(verified(form, audience, KEYS[algorithm].public_key())["jti"])
        return f"token-{len(seen)}"

    with fhir_index(authorize) as running:
        mpi_sandbox.end()
        audience = f"{running.url}/token"
        settings = {**running.settings, "token_url": audience}
        monkeypatch.setenv("ENS_MPI_CLIENT", "fhir")
        monkeypatch.setenv("ENS_MPI_SETTINGS", json.dumps(settings))
        secret = {"client_id": "hl7-ens", "private_key": pem_of(KEYS[algorithm]), "key_id": "1"}
        set_mpi_secret(monkeypatch, secret)
        for _ in range(2):
            assert find(northgen("H00412"))
        assert len(seen) == 1
        # A server that forgot the token makes us fetch another, once.
        monkeypatch.setattr(mpi_sandbox.context.fhir_client, "_token", "forgotten")
        assert find(northgen("H00412"))
        assert len(set(seen)) == 2
        mpi_sandbox.end()


def test_a_refused_assertion_and_a_key_that_is_none_are_configuration_errors(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with fhir_index(lambda _: None) as running:
        settings = {**running.settings, "token_url": f"{running.url}/token"}
        monkeypatch.setenv("ENS_MPI_CLIENT", "fhir")
        monkeypatch.setenv("ENS_MPI_SETTINGS", json.dumps(settings))
        for secret, text in (
            ({"client_id": "c", "private_key": pem_of(KEYS["ES384"])}, "refuses our assertion"),
            (
                {"client_id": "c", "private_key": "no key"},
                "private_key is not an unencrypted private key in PEM",
            ),
            (
                {
                    "client_id": "c",
                    "private_key": pem_of(ec.generate_private_key(ec.SECP256R1())),
                },
                "neither an RSA nor a P-384 key",
            ),
            ({}, "lacks client_id"),
        ):
            mpi_sandbox.end()
            set_mpi_secret(monkeypatch, secret)
            with pytest.raises(ConfigurationError, match=text):
                find(northgen("H00412"))
        mpi_sandbox.end()


def test_an_assertion_of_another_key_does_not_verify() -> None:
    pem = pem_of(KEYS["ES384"])
    form = oauth.token_request("hl7-ens", "https://t.example/token", "s", pem, "1")
    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    with pytest.raises(InvalidSignature):
        verified(form, "https://t.example/token", other)


NOBODY = b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"not-found"}]}'


class NotFound(BaseHTTPRequestHandler):
    """A server that knows nobody; `body` is the body of its answers."""

    protocol_version = "HTTP/1.1"
    body = NOBODY

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        pass


def test_mutual_tls_is_spoken_with_the_secrets_certificate(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = authority()
    context = context_for(root.issue("localhost"), root, tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    server = ThreadingHTTPServer(("127.0.0.1", 0), NotFound)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a refused handshake
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    mpi_sandbox.end()
    settings = {"base_url": f"https://localhost:{server.server_port}/fhir", "domain": "urn:oid:1.2"}
    systems = {"NORTHGEN": "urn:oid:1.3"}
    monkeypatch.setenv("ENS_MPI_CLIENT", "fhir")
    monkeypatch.setenv("ENS_MPI_SETTINGS", json.dumps({**settings, "systems": systems}))
    client = root.issue("hl7-ens")
    secret = {"ca": root.pem, "certificate": client.pem, "key": client.key_pem}
    try:
        set_mpi_secret(monkeypatch, secret)
        assert find(northgen("H00412")) is None
        assert find(northgen("H00412")) is None
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(NotFound, "body", b"<html>no such page</html>")
            with pytest.raises(ConfigurationError, match="HTTP 404"):
                find(northgen("H00412"))
        mpi_sandbox.end()
        set_mpi_secret(monkeypatch, {"ca": root.pem})
        with pytest.raises(DependencyUnavailableError):
            find(northgen("H00412"))
    finally:
        mpi_sandbox.end()
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_whole_has_an_end(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "TOTAL_SECONDS", 0.0)
    with pytest.raises(DependencyUnavailableError, match="no time left"):
        find(northgen("H00412"))
