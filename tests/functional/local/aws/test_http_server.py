"""The HTTP server of the local system: what Python's own HTTP client and a raw socket see."""

import http.client
import socket
from collections.abc import Iterable, Iterator

import pytest
from werkzeug.wrappers import Request, Response

from local.aws.http_server import WsgiServer
from local.aws.sockets import HOST, Environ, StartResponse, listen


def echo(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answers method, path, query, one header and body; raises for /broken."""
    request = Request(environ)
    if request.path == "/broken":
        raise RuntimeError
    if request.path == "/nothing":
        return Response(status=204)(environ, start_response)
    said = f"{request.method} {request.path} {request.query_string.decode()} {request.headers.get('X-Told', '')} "
    return Response(said.encode() + request.get_data())(environ, start_response)


@pytest.fixture
def port() -> Iterator[int]:
    server = WsgiServer(listen("test", 0, ""), echo).start()
    yield server.port
    server.stop()


@pytest.fixture
def connection(port: int) -> Iterator[http.client.HTTPConnection]:
    client = http.client.HTTPConnection(HOST, port, timeout=10)
    yield client
    client.close()


def test_one_connection_carries_many_requests(connection: http.client.HTTPConnection) -> None:
    local_ports = set()
    for number in range(3):
        body = b"x" * number * 100_000
        connection.request("POST", f"/a%20b?n={number}", body, {"X-Told": "me"})
        answer = connection.getresponse()
        assert answer.read() == f"POST /a b n={number} me ".encode() + body
        local_ports.add(connection.sock.getsockname()[1])
    assert len(local_ports) == 1


def test_a_chunked_body_is_read_whole(connection: http.client.HTTPConnection) -> None:
    for _ in range(2):
        connection.request("PUT", "/", iter([b"one ", b"two"]), encode_chunked=True)
        assert connection.getresponse().read() == b"PUT /   one two"


def test_head_and_204_have_no_body_and_leave_the_connection_usable(
    connection: http.client.HTTPConnection,
) -> None:
    connection.request("HEAD", "/")
    answer = connection.getresponse()
    assert (answer.read(), answer.headers["Content-Length"]) == (b"", str(len("HEAD /   ")))
    connection.request("GET", "/nothing")
    answer = connection.getresponse()
    assert (answer.status, answer.read(), answer.headers["Content-Length"]) == (204, b"", None)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"GET /   "


def test_an_app_that_raises_is_a_500_and_the_next_request_is_answered(
    connection: http.client.HTTPConnection,
) -> None:
    connection.request("GET", "/broken")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (500, b"")
    connection.request("GET", "/")
    assert connection.getresponse().status == 200


def raw(port: int, request: bytes) -> bytes:
    """All that is answered to these bytes until the connection closes."""
    with socket.create_connection((HOST, port), timeout=10) as sock:
        sock.sendall(request)
        with sock.makefile("rb") as stream:
            return stream.read()


def test_a_client_that_expects_100_continue_is_told_to_continue(port: int) -> None:
    head = b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n"
    answer = raw(port, head + b"Content-Length: 2\r\n\r\nhi")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"PUT /   hi")


def test_http_1_0_closes_after_the_answer(port: int) -> None:
    assert raw(port, b"GET / HTTP/1.0\r\n\r\n").endswith(b"GET /   ")


def test_bytes_that_are_no_request_close_the_connection(port: int) -> None:
    assert raw(port, b"\x16\x03\x01hello\r\n\r\n") == b""


def test_a_stopped_server_closes_its_connections(port: int) -> None:
    server = WsgiServer(listen("test", 0, ""), echo).start()
    client = http.client.HTTPConnection(HOST, server.port, timeout=10)
    client.request("GET", "/")
    client.getresponse().read()
    server.stop()
    with pytest.raises((http.client.HTTPException, OSError)):
        client.request("GET", "/")
        client.getresponse()
    client.close()
