"""An HTTP/1.1 server for WSGI apps on the loopback address that keeps connections open.

Each connection has a thread. werkzeug's server closes every connection after one answer, so that each
AWS call costs a connection, a thread and 10 ms of waiting; that was a quarter of the CPU time of an event.
Reads a request's body whole before the app runs (RFC 9112 sections 6 and 9.3).
"""

import io
import logging
import socket
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any, BinaryIO, cast
from urllib.parse import unquote

from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)

from local.aws.sockets import HOST, App, Environ

log = logging.getLogger(__name__)

MAX_LINE = 65536
MAX_HEADERS = 200

Headers = list[tuple[str, str]]


class BadRequestError(Exception):
    """Bytes that are no HTTP request; the connection is closed."""


class WsgiServer:
    """A WSGI app served by one thread for each connection; it answers once `start` has returned."""

    def __init__(self, sock: socket.socket, app: App) -> None:
        self.port: int = sock.getsockname()[1]
        self._socket = sock
        self._app = app
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stopping = False
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        """The server's URL, like `http://127.0.0.1:4566`."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> "WsgiServer":
        """Begins to serve; returns itself."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stops serving and closes the socket and all connections."""
        self._stopping = True
        # It wakes the thread that waits in accept().
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._stopping:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, cast(BinaryIO, connection.makefile("rb", MAX_LINE)) as stream:
                while not self._stopping and self._answer_next(connection, stream):
                    pass
        except (BadRequestError, ValueError) as error:
            log.error("%s", error)
        except OSError:
            pass  # the client is gone, or a fault has closed the connection
        finally:
            with self._lock:
                self._open.discard(connection)

    def _answer_next(self, connection: socket.socket, stream: BinaryIO) -> bool:
        """Answers one request; whether the connection stays open for another."""
        line = stream.readline(MAX_LINE)
        if not line:
            return False
        method, target, version = _request_line(line)
        headers = _headers(stream)
        environ = self._environ(method, target, version, headers)
        if environ.get("HTTP_EXPECT", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        _read_body(environ, stream)
        environ["werkzeug.socket"] = connection
        asked: str = environ.get("HTTP_CONNECTION", "").lower()
        stays = asked == "keep-alive" if version == "HTTP/1.0" else asked != "close"
        connection.sendall(self._answer(environ, method, stays))
        return stays

    def _answer(self, environ: Environ, method: str, stays: bool) -> bytes:
        status, headers, body = _run(self._app, environ)
        names = {name.lower() for name, _ in headers}
        if "content-length" not in names and status[:1] != "1" and status[:3] not in ("204", "304"):
            headers.append(("Content-Length", str(len(body))))
        if "date" not in names:
            headers.append(("Date", _date(int(time.time()))))
        headers.append(("Connection", "keep-alive" if stays else "close"))
        head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        sent = b"" if method == "HEAD" else body
        return f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1") + sent

    def _environ(self, method: str, target: str, version: str, headers: Headers) -> Environ:
        """The WSGI environment (PEP 3333), with moto's spelling of metadata headers."""
        path, _, query = target.partition("?")
        environ: Environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": target,
            "RAW_URI": target,
            "REMOTE_ADDR": HOST,
            "SERVER_NAME": HOST,
            "SERVER_PORT": str(self.port),
            "SERVER_PROTOCOL": version,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            PRESERVED_HEADER_NAMES_ENVIRON_KEY: {},
        }
        for name, value in headers:
            key = _key(name)
            if "_" in name:
                # WSGI cannot tell X_Foo from X-Foo: of these moto reads the metadata of S3 alone.
                if not should_preserve_original_header_name(name):
                    continue
                environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY][key] = name
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ


_key = lru_cache(maxsize=1024)(environ_key_for_header)


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def _request_line(line: bytes) -> tuple[str, str, str]:
    words = line.decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequestError("a request line that is no HTTP/1.1")
    return words[0], words[1], words[2]


def _headers(stream: BinaryIO) -> Headers:
    headers: Headers = []
    while (line := stream.readline(MAX_LINE)) not in (b"\r\n", b"\n"):
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or len(headers) == MAX_HEADERS:
            raise BadRequestError("a header line without a colon, or too many of them")
        headers.append((name, value.strip()))
    return headers


def _read_body(environ: Environ, stream: BinaryIO) -> None:
    """Puts the whole body into `wsgi.input`."""
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        body = b"".join(_chunks(stream))
        environ["wsgi.input_terminated"] = True
    else:
        body = stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)


def _chunks(stream: BinaryIO) -> Iterable[bytes]:
    """The chunks of a body, without the trailer (RFC 9112 section 7.1)."""
    while size := int(stream.readline(MAX_LINE).partition(b";")[0], 16):
        yield stream.read(size)
        stream.readline(MAX_LINE)
    while stream.readline(MAX_LINE) not in (b"\r\n", b"\n", b""):
        pass


def _run(app: App, environ: Environ) -> tuple[str, Headers, bytes]:
    """Status, headers and body that the app answers; 500 for an app that raises."""
    started: list[tuple[str, Headers]] = []

    def start_response(status: str, headers: Headers, _: Any = None) -> None:
        started.append((status, list(headers)))

    try:
        parts = app(environ, start_response)
        try:
            body = b"".join(parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()
    except Exception:
        log.exception("%s %s", environ["REQUEST_METHOD"], environ["PATH_INFO"])
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return f"{status.value} {status.phrase}", [], b""
    status_line, headers = started[-1]
    return status_line, headers, body
