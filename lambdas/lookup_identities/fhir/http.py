"""A FHIR server over one kept HTTPS connection: search, operation, and the token that both need.

Documents are FHIR's own JSON, which `fhir.resources` reads into types. urllib3 comes with the Lambda
runtime, because botocore needs it (docs/adr/0212-urllib3-for-fhir.md).
"""

import json
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError
from urllib3.exceptions import TimeoutError as HttpTimeoutError

from lambdas.common.errors import ConfigurationError, DependencyUnavailableError
from lambdas.lookup_identities.fhir.references import Document, with_relative_references
from lambdas.lookup_identities.mpi import connection as wire
from lambdas.lookup_identities.mpi.connection import TRIES, Deadline, tls_context
from lambdas.lookup_identities.mpi.outcomes import BrokenAnswerError
from lambdas.lookup_identities.mpi.settings import MpiSecret, MpiSettings, MpiTlsMaterial

FHIR_JSON = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"
MAX_ANSWER_BYTES = 4_000_000
CHUNK_BYTES = 65_536
TOKEN_SECONDS = 60
"""Lifetime of a token whose `expires_in` is no number; the member is optional (RFC 6749 5.1)."""
TRANSIENT = frozenset({408, 425, 429})
UNSUPPORTED = frozenset({501, 505})

# Its warnings of malformed headers name the address, in which `$ihe-pix` has an identifier.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class FhirResponse:
    """An answer's status and its resource; an empty one where the body is not a JSON object."""

    status: int
    resource: Document = field(repr=False)

    def issue_codes(self) -> set[str]:
        """The codes of an OperationOutcome's issues."""
        if self.resource.get("resourceType") != "OperationOutcome":
            return set()
        issues = self.resource.get("issue", ())
        return {str(issue.get("code", "")) for issue in issues if isinstance(issue, dict)}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request: method, path with query, body and headers."""

    method: str
    target: str = field(repr=False)
    body: bytes | None = field(repr=False, default=None)
    headers: dict[str, str] = field(repr=False, default_factory=dict)


class Host:
    """One host over HTTP or HTTPS. Its connection is kept, and opened again when it has ended."""

    def __init__(self, url: str, material: MpiTlsMaterial, name: str = "the MPI") -> None:
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ConfigurationError("ENS_MPI_SETTINGS names no http or https address")
        self._parts, self._material, self._name = parts, material, name
        self._pool: urllib3.HTTPConnectionPool | None = None

    def request(self, request: HttpRequest, deadline: Deadline) -> tuple[int, bytes]:
        """Status and body. Raises `DependencyUnavailableError` when there is no whole answer in time."""
        try:
            try:
                return self._once(request, deadline)
            except ProtocolError:
                # The server may have ended a kept connection under the request, which changes nothing.
                return self._once(request, deadline)
        except HTTPError as error:
            # A refused connection and an unknown host name are timeouts too, by their classes.
            timeout = isinstance(error, HttpTimeoutError) and not isinstance(
                error, NewConnectionError
            )
            reason = "timeout" if timeout else wire.reason_of(error)
            raise DependencyUnavailableError(f"{self._name}: {reason}") from None

    def close(self) -> None:
        """Closes the connection. The next request opens another one."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _opened(self) -> urllib3.HTTPConnectionPool:
        if self._pool is None:
            host, port = self._parts.hostname or "", self._parts.port
            self._pool = (
                urllib3.HTTPSConnectionPool(host, port, ssl_context=tls_context(self._material))
                if self._parts.scheme == "https"
                else urllib3.HTTPConnectionPool(host, port)
            )
        return self._pool

    def _once(self, request: HttpRequest, deadline: Deadline) -> tuple[int, bytes]:
        response = self._opened().urlopen(
            request.method,
            request.target,
            request.body,
            request.headers,
            retries=False,
            redirect=False,
            timeout=urllib3.Timeout(
                connect=deadline.within(wire.CONNECT_SECONDS),
                read=deadline.within(wire.FIRST_BYTE_SECONDS),
            ),
            preload_content=False,
            enforce_content_length=True,
        )
        body = bytearray()
        try:
            for chunk in response.stream(CHUNK_BYTES):
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise DependencyUnavailableError(f"{self._name}: the answer is too long")
                deadline.within(wire.FIRST_BYTE_SECONDS)
        except BaseException:
            response.close()
            raise
        response.release_conn()
        return response.status, bytes(body)


class FhirClient:
    """The FHIR server of ENS_MPI_SETTINGS: `base_url`, for OAuth2 `token_url` and `scope`, and `search`."""

    def __init__(self, settings: MpiSettings, secret: MpiSecret) -> None:
        self._settings = settings
        self._secret = secret
        self._host = Host(settings.base_url, secret)
        self._path = urlsplit(settings.base_url).path.rstrip("/")
        self._token, self._token_until = "", 0.0

    def get(self, path: str, parameters: Parameters, deadline: Deadline) -> FhirResponse:
        """The answer to a read or a search whose address holds nothing about a patient."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return self._ask("GET", f"{self._path}/{path}{query}", deadline)

    def following(self, url: str, deadline: Deadline) -> FhirResponse:
        """The page of a `next` link. It is read from this server, whatever host the link names."""
        try:
            parts = urlsplit(url)
        except ValueError:
            raise BrokenAnswerError("a link to the next page is no address") from None
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        return self._ask("GET", target, deadline)

    def search(self, kind: str, parameters: Parameters, deadline: Deadline) -> FhirResponse:
        """The answer to a search for a patient: sent by POST, so that no log of addresses names the patient.

        FHIR R4 "Search", `POST [base]/[type]/_search`; by GET where the settings say so.
        """
        if self._settings.search == "get":
            return self.get(kind, parameters, deadline)
        form = urlencode(parameters).encode()
        return self._ask("POST", f"{self._path}/{kind}/_search", deadline, form, FORM)

    def post(self, path: str, resource: Document, deadline: Deadline) -> FhirResponse:
        """The answer to an operation."""
        body = json.dumps(resource).encode()
        return self._ask("POST", f"{self._path}/{path}", deadline, body, FHIR_JSON)

    def close(self) -> None:
        """Closes the connection and forgets the token."""
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
        refused = False
        for attempt in range(TRIES):
            last = attempt + 1 == TRIES
            try:
                reply = self._once(method, target, deadline, body, content_type)
            except DependencyUnavailableError:
                if last:
                    raise
            else:
                if reply.status == 401 and refused:
                    raise ConfigurationError("the MPI does not accept our token")
                if reply.status == 401:
                    refused, self._token_until = True, 0.0
                    if not last:
                        continue
                elif not _is_transient(reply.status):
                    return reply
                if last:
                    raise DependencyUnavailableError(f"the MPI: HTTP {reply.status}")
            time.sleep(deadline.within(random.uniform(0.05, 0.25)))
        raise DependencyUnavailableError("the MPI: no answer")

    def _once(
        self, method: str, target: str, deadline: Deadline, body: bytes | None, content_type: str
    ) -> FhirResponse:
        headers = {"Accept": FHIR_JSON}
        if content_type:
            headers["Content-Type"] = content_type
        if self._settings.token_url:
            headers["Authorization"] = f"Bearer {self._bearer(deadline)}"
        status, read = self._host.request(HttpRequest(method, target, body, headers), deadline)
        resource = with_relative_references(_object(read), self._settings.base_url)
        return FhirResponse(status, resource)

    def _bearer(self, deadline: Deadline) -> str:
        if time.monotonic() < self._token_until:
            return self._token
        from lambdas.lookup_identities.fhir.oauth import token_request

        secret, url = self._secret, self._settings.token_url
        if not secret.client_id or not secret.private_key:
            raise ConfigurationError("the secret of ENS_MPI_SECRET lacks client_id or private_key")
        form = token_request(
            secret.client_id, url, self._settings.scope, secret.private_key, secret.key_id
        )
        host = Host(url, secret, "the MPI's token server")
        headers = {"Accept": "application/json", "Content-Type": FORM}
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        asked = HttpRequest("POST", target, urlencode(form).encode(), headers)
        try:
            status, read = host.request(asked, deadline)
        finally:
            host.close()
        if _is_transient(status):
            raise DependencyUnavailableError(f"the MPI's token server: HTTP {status}")
        if status != 200:
            raise ConfigurationError("the MPI's token server refuses our assertion")
        document = _object(read)
        if not document.get("access_token"):
            raise DependencyUnavailableError("the MPI's token server: an answer without a token")
        # Renewed a little before its end, so that it does not end on the way.
        self._token = str(document["access_token"])
        self._token_until = time.monotonic() + max(0, _lifetime(document) - 30)
        return self._token


def _is_transient(status: int) -> bool:
    """Whether the server may answer later. An unknown 5xx counts as 500 (RFC 9110 15)."""
    return status in TRANSIENT or (status >= 500 and status not in UNSUPPORTED)


def _lifetime(document: Document) -> float:
    """The lifetime of a token in seconds. Some servers send the number as text."""
    try:
        return float(document["expires_in"])
    except (KeyError, OverflowError, TypeError, ValueError):
        return TOKEN_SECONDS


def escaped(text: str) -> str:
    r"""A part of a search value: `\`, `|`, `,` and `$` escaped, which would end it or begin another.

    FHIR R4 "Search", 3.1.1.4.0.1 Escaping Search Parameters.
    """
    return "".join(f"\\{character}" if character in "\\|,$" else character for character in text)


def token(system: str, value: str) -> str:
    """The token `system|value` for a search (FHIR R4 "Search", token)."""
    return f"{escaped(system)}|{escaped(value)}"


def _object(read: bytes) -> Document:
    try:
        document = json.loads(read)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
