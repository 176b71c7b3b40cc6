"""Health checks over HTTP on a separate port: `/live` (the process runs), `/ready` (it can store)."""

import asyncio
import json
import time
from http import HTTPStatus

from receiver.errors import StoreUnavailableError
from receiver.intake.intake import Intake
from receiver.transport.server import MllpServer

_PROBE_SECONDS = 5.0
# A failed store makes `/ready` fail for 30 s, unless a later one succeeds: the probe's calls need
# fewer permissions than storing.
_FAILURE_SECONDS = 30.0
_REQUEST_SECONDS = 5.0


class Readiness:
    """Knows whether the receiver can store: from the last store, else from a probe of bucket and queue."""

    def __init__(self, server: MllpServer, intake: Intake) -> None:
        self._server = server
        self._intake = intake
        self._probed_at: float | None = None
        self._problem = ""
        self._probing = asyncio.Lock()

    async def problem(self) -> str:
        """Returns why the receiver cannot store (a constant text or AWS's code), "" when it can."""
        if self._server.stopping:
            return "stopping"
        failed_at = self._intake.failed_at
        if failed_at is not None and time.monotonic() - failed_at < _FAILURE_SECONDS:
            return "the last message could not be stored"
        async with self._probing:
            if self._probed_at is None or time.monotonic() - self._probed_at > _PROBE_SECONDS:
                self._problem = await self._probe()
                self._probed_at = time.monotonic()
        return self._problem

    async def _probe(self) -> str:
        try:
            await self._intake.probe()
        except StoreUnavailableError as error:
            return str(error)
        return ""


class HealthServer:
    """The HTTP listener: two paths, GET and HEAD, one request per connection."""

    def __init__(self, host: str, port: int, readiness: Readiness) -> None:
        self._host = host
        self._port = port
        self._readiness = readiness
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listens, and returns the port. Raises `OSError` when the port is in use."""
        self._server = await asyncio.start_server(self._serve, self._host, self._port)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        """Stops listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                request = await reader.readuntil(b"\r\n\r\n")
            writer.write(await self._answer(request.split(b"\r\n", 1)[0]))
            await writer.drain()
        except (
            TimeoutError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            ConnectionError,
        ):
            pass  # a port scan, or a client that closed its connection early
        finally:
            writer.close()

    async def _answer(self, request_line: bytes) -> bytes:
        method, _, rest = request_line.partition(b" ")
        path = rest.split(b" ", 1)[0].split(b"?", 1)[0]
        if method not in (b"GET", b"HEAD"):
            return _response(HTTPStatus.METHOD_NOT_ALLOWED, {}, method)
        if path == b"/live":
            return _response(HTTPStatus.OK, {"live": True}, method)
        if path == b"/ready":
            problem = await self._readiness.problem()
            status = HTTPStatus.SERVICE_UNAVAILABLE if problem else HTTPStatus.OK
            return _response(status, {"ready": not problem, "problem": problem}, method)
        return _response(HTTPStatus.NOT_FOUND, {}, method)


def _response(status: HTTPStatus, document: dict[str, object], method: bytes) -> bytes:
    body = json.dumps(document).encode() + b"\n"
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    ).encode()
    return head if method == b"HEAD" else head + body
