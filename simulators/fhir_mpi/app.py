"""The server's addresses and status codes (IHE ITI PIXm, PDQm, mCSD)."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, request

from simulators.fhir_mpi.directory import Directory
from simulators.fhir_mpi.patients import BadTokenError, Patients, UnknownDomainError, token_parts

Document = dict[str, Any]
Check = Callable[[Document], None]
Authorize = Callable[[Mapping[str, str]], str | None]
"""Returns a token for a token request's form, or None to reject it."""

FHIR_JSON = "application/fhir+json"
PATIENT = frozenset(
    {"_id", "active", "family", "given", "identifier", "birthdate", "gender", "family:exact"}
    | {"telecom", "address", "address-city", "address-country", "address-postalcode", "_count"}
)
SEARCHES = {
    "Practitioner": {"active", "identifier", "name", "given", "family", "_count", "_id"},
    "PractitionerRole": {"active", "organization", "practitioner", "role", "_include", "_count"},
    "Organization": {"active", "identifier", "name", "type", "_include", "_count", "_id"},
    "Endpoint": {"identifier", "organization", "status", "_count", "_id"},
}


class Responses:
    """Builds the responses. `check` is called with each resource."""

    def __init__(self, check: Check) -> None:
        self.check = check

    def resource(self, document: Document, status: int = 200) -> Response:
        """Returns a resource as `application/fhir+json`."""
        self.check(document)
        return Response(json.dumps(document), status, mimetype=FHIR_JSON)

    def outcome(self, status: int, code: str, text: str) -> Response:
        """Returns an OperationOutcome with one issue of severity `error`."""
        issue = {"severity": "error", "code": code, "diagnostics": text}
        return self.resource({"resourceType": "OperationOutcome", "issue": [issue]}, status)

    def bundle(
        self,
        found: list[Document],
        included: list[Document] | None = None,
        asked: Mapping[str, str] | None = None,
    ) -> Response:
        """Returns the found and the included resources.

        `asked` are the parameters of a posted search: the self link is that of a GET all the same.
        """
        url = request.url
        if asked:
            url = f"{request.base_url.removesuffix('/_search')}?{urlencode(asked)}"
        entry = [{"resource": r, "search": {"mode": "match"}} for r in found]
        entry += [{"resource": r, "search": {"mode": "include"}} for r in included or []]
        return self.searchset(entry, len(found), url)

    def searchset(self, entry: list[Document], total: int, url: str) -> Response:
        """Returns a bundle of these entries; `url` is its self link."""
        return self.resource(
            {
                "resourceType": "Bundle",
                "type": "searchset",
                "total": total,
                "link": [{"relation": "self", "url": url}],
                **({"entry": entry} if entry else {}),
            }
        )


def create_app(
    patients: Patients,
    directory: Directory,
    check: Check = lambda _: None,
    authorize: Authorize | None = None,
) -> Flask:
    """Returns the WSGI app with base `/fhir`. `check` is called with every resource received or sent.

    With `authorize` every request needs a token from `POST /token`.
    """
    app = Flask("fhir_mpi")
    tokens: set[str] = set()
    asked: list[str] = []
    failing: list[int] = []
    app.config.update(asked=asked, failing=failing)

    responses = Responses(check)

    @app.before_request
    def guard() -> Response | None:
        asked.append(f"{request.method} {request.full_path}")
        if failing:
            return responses.outcome(failing.pop(0), "exception", "told to fail")
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if authorize and request.path != "/token" and sent not in tokens:
            return responses.outcome(401, "login", "no token")
        return None

    @app.post("/token")
    def token() -> Response:
        made = authorize(request.form) if authorize else None
        if made is None:
            return Response('{"error":"invalid_client"}', 400, mimetype="application/json")
        tokens.add(made)
        answer = {"access_token": made, "token_type": "bearer", "expires_in": 300}
        return Response(json.dumps(answer), 200, mimetype="application/json")

    _add_cross_reference(app, patients, responses)
    _add_search(app, patients, responses)
    _add_patients(app, patients, responses)

    @app.get("/fhir/<kind>")
    def search_directory(kind: str) -> Response:
        if kind not in SEARCHES:
            return responses.outcome(404, "not-supported", "no such resource type")
        if set(request.args) - SEARCHES[kind]:
            return responses.outcome(
                400, "invalid", "a parameter that mCSD does not ask a directory for"
            )
        return responses.bundle(*directory.search(kind, request.args))

    return app


def _add_cross_reference(app: Flask, patients: Patients, responses: Responses) -> None:
    @app.get("/fhir/Patient/$ihe-pix")
    def ihe_pix() -> Response:
        source = request.args.getlist("sourceIdentifier")
        if set(request.args) - {"sourceIdentifier", "targetSystem", "_format"} or len(source) != 1:
            return responses.outcome(400, "invalid", "one sourceIdentifier, and targetSystem")
        targets = request.args.getlist("targetSystem")
        try:
            system, value = token_parts(source[0])
        except BadTokenError:
            return responses.outcome(400, "invalid", "sourceIdentifier: one system and one value")
        if not patients.knows(system):
            return responses.outcome(
                400, "code-invalid", "sourceIdentifier: assigning authority not found"
            )
        if not all(map(patients.knows, targets)):
            return responses.outcome(403, "code-invalid", "targetSystem not found")
        found = patients.cross_referenced(system, value, targets)
        if found is None:
            return responses.outcome(
                404, "not-found", "sourceIdentifier: patient identifier not found"
            )
        parameter = [{"name": "targetIdentifier", "valueIdentifier": i} for i in found]
        return responses.resource(
            {"resourceType": "Parameters", **({"parameter": parameter} if parameter else {})}
        )


def _add_search(app: Flask, patients: Patients, responses: Responses) -> None:
    @app.get("/fhir/Patient")
    def search_patients() -> Response:
        return searched(request.args)

    @app.post("/fhir/Patient/_search")
    def search_patients_by_form() -> Response:
        if request.mimetype != "application/x-www-form-urlencoded":
            return responses.outcome(415, "invalid", "a search is posted as a form")
        return searched({**request.args, **request.form})

    def searched(asked: Mapping[str, str]) -> Response:
        if set(asked) - PATIENT:
            return responses.outcome(400, "invalid", "a parameter that PDQm does not name")
        try:
            return responses.bundle(patients.search(asked), asked=asked)
        except BadTokenError:
            return responses.outcome(400, "invalid", "identifier: one system and one value")
        except UnknownDomainError:
            return responses.outcome(404, "not-found", "identifier: assigning authority not found")


def _add_patients(app: Flask, patients: Patients, responses: Responses) -> None:
    @app.get("/fhir/Patient/<patient_id>")
    def read_patient(patient_id: str) -> Response:
        found = patients.read(patient_id)
        return (
            responses.resource(found)
            if found
            else responses.outcome(404, "not-found", "no such patient")
        )

    @app.post("/fhir/Patient/$match")
    def match() -> Response:
        document = request.get_json(force=True)
        responses.check(document)
        parameters = {p["name"]: p for p in document.get("parameter", ())}
        if document.get("resourceType") != "Parameters" or "resource" not in parameters:
            return responses.outcome(400, "invalid", "Parameters with a resource")
        responses.check(parameters["resource"]["resource"])
        only = parameters.get("onlyCertainMatches", {}).get("valueBoolean", False)
        count = parameters.get("count", {}).get("valueInteger", 10)
        entry = patients.match(parameters["resource"]["resource"], only)[:count]
        return responses.searchset(entry, len(entry), request.url)
