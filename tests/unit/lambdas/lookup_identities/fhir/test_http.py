"""The token request reaches the address of the settings, and a token's lifetime may be left out."""

import json
import time
from typing import Any

import pytest

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
