"""awscrt: the signer and the HTTP client of the AWS Common Runtime, in C with threads of its own."""

import asyncio
import hashlib
from io import BytesIO
from typing import Any

from awscrt import auth, io
from awscrt.http import HttpClientConnection, HttpHeaders, HttpRequest

from bench.aws_client.clients.interface import (
    ACCESS_KEY,
    BATCH_HEADERS,
    REGION,
    SECRET_KEY,
    Endpoint,
    PutRequest,
    batch_body,
    confirmed,
)

_PROVIDER = auth.AwsCredentialsProvider.new_static(ACCESS_KEY, SECRET_KEY)


class CrtClient:
    """A list of free connections, because the Python binding has no connection manager."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._free: list[Any] = []
        self._slots = asyncio.Semaphore(endpoint.connections)
        self._tls: Any = None
        if endpoint.ca_file:
            options = io.TlsContextOptions()
            options.override_default_trust_store_from_path(None, endpoint.ca_file)
            self._tls = io.ClientTlsContext(options).new_connection_options()
            self._tls.set_server_name(endpoint.host)

    async def put(self, request: PutRequest) -> str:
        """Returns the version of the stored object."""
        signed = await asyncio.wrap_future(_sign_put(self._endpoint, request))
        headers, _ = await self._exchange(signed)
        return headers["x-amz-version-id"]

    async def send(self, entries: list[dict[str, str]]) -> int:
        """Returns how many entries SQS has confirmed."""
        body = batch_body(self._endpoint, entries)
        request = _request(self._endpoint, "POST", "/", BATCH_HEADERS, body)
        digest = hashlib.sha256(body).hexdigest()
        signed = await asyncio.wrap_future(_signing(request, "sqs", digest))
        return confirmed((await self._exchange(signed))[1])

    def close(self) -> None:
        """Closes the connections."""
        for connection in self._free:
            connection.close()

    async def _exchange(self, request: Any) -> tuple[dict[str, str], bytes]:
        async with self._slots:
            connection = self._free.pop() if self._free else await self._connect()
            response = _Response()
            stream = connection.request(request, response.on_response, response.on_body)
            stream.activate()
            status = await asyncio.wrap_future(stream.completion_future)
            assert status == 200, status
            self._free.append(connection)
            return response.headers, b"".join(response.body)

    async def _connect(self) -> Any:
        return await asyncio.wrap_future(
            HttpClientConnection.new(
                self._endpoint.host, self._endpoint.port, tls_connection_options=self._tls
            )
        )


class _Response:
    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.body: list[bytes] = []

    def on_response(self, *, headers: list[tuple[str, str]], **_: Any) -> None:
        self.headers = {name.lower(): value for name, value in headers}

    def on_body(self, *, chunk: bytes, **_: Any) -> None:
        self.body.append(chunk)


def sign(endpoint: Endpoint, request: PutRequest) -> str:
    """Returns the Authorization header of a PutObject."""
    signed = _sign_put(endpoint, request).result()
    return str(signed.headers.get("authorization"))


def _sign_put(endpoint: Endpoint, request: PutRequest) -> Any:
    unsigned = _request(endpoint, "PUT", request.path, request.headers(), request.body)
    return _signing(unsigned, "s3", request.sha256)


def _signing(request: Any, service: str, body_sha256: str) -> Any:
    """The future of a signed request."""
    config = auth.AwsSigningConfig(
        algorithm=auth.AwsSigningAlgorithm.V4,
        signature_type=auth.AwsSignatureType.HTTP_REQUEST_HEADERS,
        credentials_provider=_PROVIDER,
        region=REGION,
        service=service,
        use_double_uri_encode=False,
        should_normalize_uri_path=False,
        signed_body_value=body_sha256,
        signed_body_header_type=(
            auth.AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256
            if service == "s3"
            else auth.AwsSignedBodyHeaderType.NONE
        ),
    )
    return auth.aws_sign_request(request, config)


def _request(
    endpoint: Endpoint, method: str, path: str, headers: dict[str, str], body: bytes
) -> Any:
    listed = [
        ("host", f"{endpoint.host}:{endpoint.port}"),
        ("content-length", str(len(body))),
        *headers.items(),
    ]
    return HttpRequest(method, path, HttpHeaders(listed), BytesIO(body))
