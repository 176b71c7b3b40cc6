"""Send botocore's requests to the loopback address with one write and one read.

urllib3 and http.client write the head and the body of a request apart, wait for a `100 Continue`, and read
the head of an answer through the parser for mails: a third of the CPU time of a call. Requests to other
hosts, and bodies that are streams, go through urllib3.
"""

import io
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import botocore.awsrequest
import botocore.exceptions
import botocore.httpsession
from botocore.httpsession import URLLib3Session

from local.patches.patching import replace

HOST = "127.0.0.1"
_HERE = (f"http://{HOST}:", f"http://{HOST}/")
WITHOUT_BODY = (204, 304)

_urllib3 = URLLib3Session.send
_known = threading.local()


def install() -> None:
    """Changes the transport of this process's botocore; calling it again changes nothing."""
    replace(URLLib3Session, "send", _send)


@contextmanager
def outcome(known: Any) -> Iterator[None]:
    """Gives the first request of this thread in the block this answer, or this exception, and sends nothing."""
    _known.outcome = known
    try:
        yield
    finally:
        _known.outcome = None


def is_short(url: str, body: Any) -> bool:
    """Whether such a request goes over the short way."""
    # botocore wraps the bytes of an object for S3 in a BytesIO, and rewinds it before a retry.
    whole = body is None or isinstance(body, bytes | bytearray | str | io.BytesIO)
    return whole and url.startswith(_HERE)


def _send(session: URLLib3Session, request: Any) -> Any:
    """The answer that urllib3 would give, or botocore's exception for a failed connection."""
    known, _known.outcome = getattr(_known, "outcome", None), None
    if isinstance(known, Exception):
        raise known
    if known is not None:
        return known
    if not is_short(request.url, request.body):
        return _urllib3(session, request)
    idle: _IdleConnections = session.__dict__.setdefault("idle_connections", _IdleConnections())
    parts = urlsplit(request.url)
    try:
        connection = _taken(idle) or _connected(parts.port or 80, session._timeout)
    except OSError as error:
        raise botocore.exceptions.EndpointConnectionError(
            endpoint_url=request.url, error=error
        ) from error
    try:
        connection.settimeout(session._timeout.read_timeout)
        connection.sendall(_written(request, parts))
        status, headers, body, stays = _read(connection, request.method)
    except TimeoutError as error:
        connection.close()
        raise botocore.exceptions.ReadTimeoutError(endpoint_url=request.url, error=error) from error
    except OSError as error:
        connection.close()
        raise botocore.exceptions.ConnectionClosedError(
            error=error, request=request, endpoint_url=request.url
        ) from error
    if stays:
        idle.append(connection)
    else:
        connection.close()
    return botocore.awsrequest.AWSResponse(request.url, status, headers, _Whole(body))


class _IdleConnections(list[socket.socket]):
    """The open connections of a session that no thread uses; they are closed with the session."""

    def __del__(self) -> None:
        for connection in self:
            connection.close()


class _Whole(io.BytesIO):
    """A body that has been read, with what botocore and `StreamingBody` use of urllib3's."""

    def stream(self, amount: int = 65536, **_: Any) -> Any:
        """The rest of the body in pieces."""
        while piece := self.read(amount):
            yield piece


def _taken(idle: list[socket.socket]) -> socket.socket | None:
    """A connection that is still open; None where there is none."""
    while idle:
        try:
            connection = idle.pop()
        except IndexError:  # another thread was faster
            return None
        closed = select.poll()
        closed.register(connection, select.POLLIN)
        if not closed.poll(0):
            return connection
        connection.close()
    return None


def _connected(port: int, timeout: Any) -> socket.socket:
    connection = socket.create_connection((HOST, port), timeout.connect_timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _written(request: Any, parts: Any) -> bytes:
    body = request.body or b""
    if isinstance(body, io.BytesIO):
        body = body.read()
    body = body.encode() if isinstance(body, str) else bytes(body)
    target = parts.path or "/"
    lines = [f"{request.method} {target}{f'?{parts.query}' if parts.query else ''} HTTP/1.1"]
    names = set()
    for name, value in request.headers.items():
        names.add(name.lower())
        if name.lower() != "expect":
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            lines.append(f"{name}: {text}")
    if "host" not in names:
        lines.append(f"Host: {parts.netloc}")
    if "accept-encoding" not in names:
        lines.append("Accept-Encoding: identity")
    if "content-length" not in names and (body or request.method in ("POST", "PUT")):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _read(connection: socket.socket, method: str) -> tuple[int, Any, bytes, bool]:
    """Status, headers and body, and whether the connection stays open (RFC 9112, section 9.3).

    Raises `ConnectionResetError` for an answer that is cut off.
    """
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = botocore.awsrequest.HeadersDict()
    for line in lines:
        name, _, value = line.partition(":")
        headers[name] = value.strip()
    version, code = first.split(" ", 2)[:2]
    status, asked = int(code), headers.get("connection", "").lower()
    stays = asked == "keep-alive" if version == "HTTP/1.0" else asked != "close"
    if method == "HEAD" or status in WITHOUT_BODY:
        return status, headers, b"", stays
    left = int(headers["content-length"]) - len(body)
    pieces = [body]
    while left > 0:
        pieces.append(_more(connection))
        left -= len(pieces[-1])
    return status, headers, b"".join(pieces), stays


def _more(connection: socket.socket) -> bytes:
    piece = connection.recv(262144)
    if not piece:
        raise ConnectionResetError("the server closed the connection")
    return piece
