"""Access to a FHIR server: OAuth2 with a signed assertion, mutual TLS, and the time for all requests."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from lambdas.common.errors import ConfigurationError, DependencyUnavailableError
from lambdas.common.function.context import SECRET_SECONDS
from lambdas.lookup_identities.fhir import oauth
from lambdas.lookup_identities.mpi import connection
from tests.functional.lambdas.lookup_identities.conftest import mpi_sandbox, set_mpi_secret
from tests.functional.lambdas.lookup_identities.fhir.conftest import Configure, find
from tests.functional.lambdas.lookup_identities.world import northgen
from tests.support.fhir_index import fhir_index
from tests.support.tls import authority, context_for, pem_of

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


def test_a_changed_secret_is_used_without_a_new_sandbox(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[str] = []

    def authorize(form: Mapping[str, str]) -> str | None:
        if decoded(form["client_assertion"].split(".")[0])["kid"] == "2":
            return "token"
        refused.append("1")
        return None

    with fhir_index(authorize) as running:
        mpi_sandbox.end()
        settings = {**running.settings, "token_url": f"{running.url}/token"}
        monkeypatch.setenv("ENS_MPI_CLIENT", "fhir")
        monkeypatch.setenv("ENS_MPI_SETTINGS", json.dumps(settings))
        secret = {"client_id": "hl7-ens", "private_key": pem_of(KEYS["ES384"]), "key_id": "1"}
        set_mpi_secret(monkeypatch, secret)
        with pytest.raises(ConfigurationError, match="refuses our assertion"):
            find(northgen("H00412"))
        set_mpi_secret(monkeypatch, {**secret, "key_id": "2"})
        later = time.monotonic() + SECRET_SECONDS
        monkeypatch.setattr("lambdas.common.function.context.monotonic", lambda: later)
        context = mpi_sandbox.context
        before = context.mpi_client
        context.renew_clients()
        assert find(northgen("H00412"))
        made = context.mpi_client
        context.renew_clients()
        assert context.mpi_client is made is not before
        mpi_sandbox.end()
    assert refused == ["1"]


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


class QuietServer(ThreadingHTTPServer):
    """A server that prints no traceback when it refuses a handshake."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass


def test_mutual_tls_is_spoken_with_the_secrets_certificate(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = authority()
    context = context_for(root.issue("localhost"), root, tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    server = QuietServer(("127.0.0.1", 0), NotFound)
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
        mpi_sandbox.end()
        set_mpi_secret(monkeypatch, {**secret, "ca": authority().pem})
        with pytest.raises(DependencyUnavailableError, match="certificate in certificate chain"):
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
