"""A FHIR server over one kept HTTPS connection: search, operation, and the token that both need."""

import http.client
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from lambdas.common.errors import ConfigurationError, DependencyUnavailableError
from lambdas.lookup_identities.mpi import connection as wire
from lambdas.lookup_identities.mpi.connection import TRIES, Deadline, tls_context

FHIR_JSON = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"
LONGEST = 4_000_000
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})

Document = dict[str, Any]
Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class FhirResponse:
    """An answer's status and its resource; an empty one where the body was none."""

    status: int
    resource: Document = field(repr=False)

    def issue_codes(self) -> set[str]:
        """The codes of an OperationOutcome's issues."""
        if self.resource.get("resourceType") != "OperationOutcome":
            return set()
        return {issue.get("code", "") for issue in self.resource.get("issue", ())}


class Host:
    """One host over HTTP or HTTPS, its connection kept, and opened again when it was closed."""

    def __init__(self, url: str, secret: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError("ENS_MPI_SETTINGS names no http or https address")
        self._parts = parts
        self._secret = secret
        self._connection: http.client.HTTPConnection | None = None

    def request(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: dict[str, str],
        deadline: Deadline,
    ) -> tuple[int, bytes]:
        """Status and body. Raises `DependencyUnavailableError` when there is no answer in time."""
        for attempt in range(2):
            kept = self._connection is not None
            try:
                return self._once(method, target, body, headers, deadline)
            except (http.client.HTTPException, ConnectionError) as error:
                # A kept connection may have been ended by the other side; what we ask changes nothing.
                self.close()
                if attempt or not kept:
                    name = type(error).__name__
                    raise DependencyUnavailableError(f"the index: {name}") from None
            except TimeoutError:
                self.close()
                raise DependencyUnavailableError("the index: timeout") from None
            except OSError as error:
                self.close()
                raise DependencyUnavailableError(f"the index: {type(error).__name__}") from None
        raise DependencyUnavailableError("the index ended the connection")

    def close(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _once(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: dict[str, str],
        deadline: Deadline,
    ) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = self._open(deadline)
        connection = self._connection
        connection.sock.settimeout(deadline.within(wire.FIRST_BYTE_SECONDS))
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        read = answer.read(LONGEST)
        if answer.will_close or not answer.isclosed():
            self.close()
        return answer.status, read

    def _open(self, deadline: Deadline) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        seconds = deadline.within(wire.CONNECT_SECONDS)
        connection: http.client.HTTPConnection
        if self._parts.scheme == "https":
            context = tls_context(self._secret)
            connection = http.client.HTTPSConnection(host, port, timeout=seconds, context=context)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=seconds)
        connection.connect()
        return connection


class FhirClient:
    """A FHIR server at its base address."""

    def __init__(
        self,
        base_url: str,
        token_url: str = "",
        scope: str = "system/*.read",
        search_by_post: bool = True,
        secret: Mapping[str, str] | None = None,
    ) -> None:
        self._secret = secret or {}
        self._path = urlsplit(base_url).path.rstrip("/")
        self._host = Host(base_url, self._secret)
        self._search_by_post = search_by_post
        self._token_url, self._scope = token_url, scope
        self._token, self._token_until = "", 0.0

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], secret: Mapping[str, str]) -> Self:
        """The server of ENS_MPI_SETTINGS: `base_url`, for OAuth2 `token_url` and `scope`, and `search`.

        Raises `ConfigurationError` when `search` is neither `post` (the default) nor `get`.
        """
        search = settings.get("search", "post")
        if search not in ("post", "get"):
            raise ConfigurationError("ENS_MPI_SETTINGS: search is neither post nor get")
        return cls(
            settings.get("base_url", ""),
            settings.get("token_url", ""),
            settings.get("scope", "system/*.read"),
            search == "post",
            secret,
        )

    def get(self, path: str, parameters: Parameters, deadline: Deadline) -> FhirResponse:
        """The answer to a read or a search whose address holds nothing about a patient."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return self._ask("GET", f"{self._path}/{path}{query}", deadline)

    def search(self, kind: str, parameters: Parameters, deadline: Deadline) -> FhirResponse:
        """The answer to a search for a patient: sent by POST, so that no log of addresses names the patient.

        FHIR R4 "Search", `POST [base]/[type]/_search`; by GET where the settings say so.
        """
        if not self._search_by_post:
            return self.get(kind, parameters, deadline)
        form = urlencode(parameters).encode()
        return self._ask("POST", f"{self._path}/{kind}/_search", deadline, form, FORM)

    def post(self, path: str, resource: Document, deadline: Deadline) -> FhirResponse:
        """The answer to an operation."""
        body = json.dumps(resource).encode()
        return self._ask("POST", f"{self._path}/{path}", deadline, body, FHIR_JSON)

    def close(self) -> None:
        """Closes the connection and deletes the token."""
        self._host.close()
        self._token_until = 0.0

    def _ask(
        self,
        method: str,
        target: str,
        deadline: Deadline,
        body: bytes | None = None,
        content_type: str = "",
    ) -> FhirResponse:
        """The answer, asked for once more when the server could not; a stale token is renewed once."""
        for attempt in range(TRIES):
            last = attempt + 1 == TRIES
            try:
                reply = self._once(method, target, deadline, body, content_type)
            except DependencyUnavailableError:
                if last:
                    raise
            else:
                if reply.status == 401 and not last:
                    self._token_until = 0.0
                    continue
                if reply.status == 401:
                    raise ConfigurationError("the index does not accept our token")
                if reply.status not in TRANSIENT:
                    return reply
                if last:
                    raise DependencyUnavailableError(f"the index: HTTP {reply.status}")
            time.sleep(deadline.within(random.uniform(0.05, 0.25)))
        raise DependencyUnavailableError("the index: no answer")

    def _once(
        self, method: str, target: str, deadline: Deadline, body: bytes | None, content_type: str
    ) -> FhirResponse:
        headers = {"Accept": FHIR_JSON}
        if content_type:
            headers["Content-Type"] = content_type
        if self._token_url:
            headers["Authorization"] = f"Bearer {self._bearer(deadline)}"
        status, read = self._host.request(method, target, body, headers, deadline)
        return FhirResponse(status, _object(read))

    def _bearer(self, deadline: Deadline) -> str:
        if time.monotonic() < self._token_until:
            return self._token
        from lambdas.lookup_identities.fhir.oauth import token_request

        try:
            form = token_request(
                self._secret["client_id"],
                self._token_url,
                self._scope,
                self._secret["private_key"],
                self._secret.get("key_id", ""),
            )
        except KeyError:
            raise ConfigurationError("the index's secret lacks client_id or private_key") from None
        host, target = Host(self._token_url, self._secret), urlsplit(self._token_url).path or "/"
        headers = {"Accept": "application/json", "Content-Type": FORM}
        try:
            status, read = host.request("POST", target, urlencode(form).encode(), headers, deadline)
        finally:
            host.close()
        if status in TRANSIENT:
            raise DependencyUnavailableError(f"the index's token server: HTTP {status}")
        document = _object(read)
        if status != 200 or not document.get("access_token"):
            raise ConfigurationError("the index's token server refuses our assertion")
        # Renewed a little before its end, so that it does not end on the way.
        self._token = str(document["access_token"])
        self._token_until = time.monotonic() + max(0, int(document.get("expires_in", 60)) - 30)
        return self._token


def entries(bundle: Document, resource_type: str) -> list[Document]:
    """The entries of a bundle that hold such a resource."""
    found = bundle.get("entry", ())
    return [e for e in found if e.get("resource", {}).get("resourceType") == resource_type]


def has_more(bundle: Document) -> bool:
    """Whether the bundle is a page of several and not the last."""
    return any(link.get("relation") == "next" for link in bundle.get("link", ()))


def _object(read: bytes) -> Document:
    try:
        document = json.loads(read)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
