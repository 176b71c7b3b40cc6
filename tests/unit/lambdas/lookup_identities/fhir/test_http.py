"""Requests to a FHIR server: tokens, statuses, and no address in a log."""

import json
import logging
import socket
import threading
import time
from typing import Any

import pytest

from lambdas.common.errors import ConfigurationError, DependencyUnavailableError
from lambdas.lookup_identities.fhir import oauth
from lambdas.lookup_identities.fhir.http import FhirClient, Host, HttpRequest
from lambdas.lookup_identities.mpi.connection import Deadline
from lambdas.lookup_identities.mpi.settings import MpiSecret, MpiSettings

SETTINGS = MpiSettings(
    base_url="https://mpi.example/fhir", token_url="https://idp.example/token?tenant=region"
)
SECRET = MpiSecret(client_id="hl7-ens", private_key="PEM")


@pytest.mark.parametrize("lifetime", [{}, {"expires_in": None}, {"expires_in": "soon"}])
def test_a_token_is_asked_for_at_the_whole_address_and_lasts_a_minute_by_default(
    monkeypatch: pytest.MonkeyPatch, lifetime: dict[str, Any]
) -> None:
    asked: list[str] = []

    def answered(_: Host, request: HttpRequest, __: Deadline) -> tuple[int, bytes]:
        asked.append(request.target)
        body = json.dumps({"access_token": "t", **lifetime, "resourceType": "Bundle"})
        return 200, body.encode()

    monkeypatch.setattr(Host, "request", answered)
    monkeypatch.setattr(oauth, "token_request", lambda *_: {})
    client = FhirClient(SETTINGS, SECRET)
    for _ in range(2):
        client.get("Patient/1", [], Deadline.after(1))
    assert asked == ["/token?tenant=region", "/fhir/Patient/1", "/fhir/Patient/1"]


@pytest.mark.parametrize(
    ("lifetime", "used_again_after", "renewed_after"),
    [
        ({}, 25, 35),
        ({"expires_in": 10**400}, 25, 35),
        ({"expires_in": 300}, 265, 275),
        ({"expires_in": "300"}, 265, 275),
    ],
)
def test_a_token_is_renewed_half_a_minute_before_its_end(
    monkeypatch: pytest.MonkeyPatch,
    lifetime: dict[str, Any],
    used_again_after: int,
    renewed_after: int,
) -> None:
    asked: list[str] = []

    def answered(_: Host, request: HttpRequest, __: Deadline) -> tuple[int, bytes]:
        asked.append(request.method)
        body = json.dumps({"access_token": "t", **lifetime, "resourceType": "Bundle"})
        return 200, body.encode()

    monkeypatch.setattr(Host, "request", answered)
    monkeypatch.setattr(oauth, "token_request", lambda *_: {})
    client, counts = FhirClient(SETTINGS, SECRET), []
    for now in (1000, 1000 + used_again_after, 1000 + renewed_after):
        monkeypatch.setattr(time, "monotonic", lambda now=now: now)
        client.get("Patient/1", [], Deadline.after(1))
        counts.append(asked.count("POST"))
    assert counts == [1, 1, 2]


def answering(monkeypatch: pytest.MonkeyPatch, *statuses: int) -> FhirClient:
    """A client with a token, whose server answers with these statuses, one after the other."""
    left = list(statuses)

    def answered(_: Host, request: HttpRequest, __: Deadline) -> tuple[int, bytes]:
        if request.target.startswith("/token"):
            return 200, b'{"access_token": "t", "expires_in": 300}'
        return left.pop(0), b"{}"

    monkeypatch.setattr(Host, "request", answered)
    monkeypatch.setattr(oauth, "token_request", lambda *_: {})
    return FhirClient(SETTINGS, SECRET)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503, 507, 521, 530])
def test_a_status_that_may_pass_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """An unknown status counts as the first of its class (RFC 9110 15)."""
    with pytest.raises(DependencyUnavailableError, match=str(status)):
        answering(monkeypatch, status, status).get("Patient/1", [], Deadline.after(1))


@pytest.mark.parametrize("status", [302, 403, 501, 505])
def test_other_statuses_are_answers(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    answer = answering(monkeypatch, status).get("Patient/1", [], Deadline.after(1))
    assert answer.status == status


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((200, b"<html>maintenance</html>"), DependencyUnavailableError),
        ((521, b""), DependencyUnavailableError),
        ((400, b'{"error": "invalid_client"}'), ConfigurationError),
    ],
)
def test_a_token_servers_fault_names_the_token_server(
    monkeypatch: pytest.MonkeyPatch, answer: tuple[int, bytes], error: type[Exception]
) -> None:
    monkeypatch.setattr(Host, "request", lambda *_: answer)
    monkeypatch.setattr(oauth, "token_request", lambda *_: {})
    with pytest.raises(error, match="the MPI's token server"):
        FhirClient(SETTINGS, SECRET).get("Patient/1", [], Deadline.after(1))


@pytest.mark.parametrize("url", ["mpi.example", "https://mpi:99999/fhir", "https://[mpi/fhir", ""])
def test_an_address_that_is_none_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    with pytest.raises(ConfigurationError, match="no http or https address"):
        FhirClient(MpiSettings(base_url=url), MpiSecret())
    monkeypatch.setattr(oauth, "token_request", lambda *_: {})
    settings = MpiSettings(base_url="https://mpi.example/fhir", token_url=url or "/token")
    with pytest.raises(ConfigurationError, match="no http or https address"):
        FhirClient(settings, SECRET).get("Patient/1", [], Deadline.after(1))


def test_a_token_server_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oauth, "token_request", lambda *_: {})
    settings = MpiSettings(base_url="https://mpi.example/fhir", token_url="http://127.0.0.1:1/t")
    with pytest.raises(DependencyUnavailableError, match="the MPI's token server: NewConn"):
        FhirClient(settings, SECRET).get("Patient/1", [], Deadline.after(1))


def test_a_new_token_that_is_refused_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ConfigurationError, match="token"):
        answering(monkeypatch, 401, 401).get("Patient/1", [], Deadline.after(1))


def test_a_token_that_a_restarted_server_forgot_is_renewed_by_the_next_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = answering(monkeypatch, 503, 401, 200)
    with pytest.raises(DependencyUnavailableError, match="401"):
        client.get("Patient/1", [], Deadline.after(1))
    assert client.get("Patient/1", [], Deadline.after(1)).status == 200


@pytest.mark.parametrize("header", [b"no colon", b": no name"])
def test_no_log_has_the_address_of_a_query_when_the_answer_has_a_malformed_header(
    caplog: pytest.LogCaptureFixture, header: bytes
) -> None:
    """`$ihe-pix` is a GET, so that its address has the identifier (PIXm 2:3.83.4.1.2)."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + header + b"\r\n\r\n{}")

    thread = threading.Thread(target=serve)
    thread.start()
    client = FhirClient(
        MpiSettings(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}/fhir"), MpiSecret()
    )
    with caplog.at_level(logging.DEBUG):
        client.get(
            "Patient/$ihe-pix", [("sourceIdentifier", "urn:oid:1.2|H00412")], Deadline.after(2)
        )
    client.close()
    thread.join()
    listener.close()
    assert "H00412" not in caplog.text
