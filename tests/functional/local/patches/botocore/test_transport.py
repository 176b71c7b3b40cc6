"""botocore's requests over the short way get the answers, and fail with the errors, of urllib3's."""

import io
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from local.aws import clients
from local.aws.http_server import WsgiServer
from local.aws.sockets import Environ, StartResponse, listen
from local.patches.botocore import attempts
from local.patches.botocore import transport as loopback

SHORT = Config(read_timeout=0.3, retries={"total_max_attempts": 1})


@pytest.fixture(params=["urllib3", "loopback", "attempts"])
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each way to send, one after the other."""
    send = loopback._urllib3 if request.param == "urllib3" else loopback._send
    attempt = attempts._attempted if request.param == "attempts" else attempts._make_request
    monkeypatch.setattr(URLLib3Session, "send", send)
    monkeypatch.setattr(BaseClient, "_make_request", attempt)
    name: str = request.param
    return name


class RecordingApp:
    """An S3 that keeps what it received and answers an object of 300 kB."""

    def __init__(self) -> None:
        self.received: list[tuple[str, str, bytes]] = []
        self.sockets: set[int] = set()
        self.delay = 0.0
        self.closes_once = False

    def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        body = environ["wsgi.input"].read()
        self.received.append((environ["REQUEST_METHOD"], environ["RAW_URI"], body))
        self.sockets.add(id(environ["werkzeug.socket"]))
        time.sleep(self.delay)
        if "close" in environ["PATH_INFO"] or self.closes_once:
            self.closes_once = False
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        headers = [("Content-Type", "text/plain"), ("x-amz-meta-kind", "letter"), ("ETag", '"e"')]
        if "missing" in environ["PATH_INFO"]:
            start_response("404 NOT FOUND", [("Content-Type", "application/xml")])
            return [b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>"]
        start_response("200 OK", headers)
        return [b"" if environ["REQUEST_METHOD"] == "PUT" else b"x" * 300_000]


@pytest.fixture
def app() -> RecordingApp:
    return RecordingApp()


@pytest.fixture
def s3(transport: str, app: RecordingApp, environment: dict[str, str]) -> Iterator[Any]:
    server = WsgiServer(listen("S3", 0, ""), app).start()
    try:
        yield clients.client("s3", server.port, config=SHORT)
    finally:
        server.stop()


def test_an_object_arrives_with_its_headers(s3: Any, app: RecordingApp) -> None:
    found = s3.get_object(Bucket="b", Key="a folder/ä.txt")
    assert found["Body"].read() == b"x" * 300_000
    assert (found["Metadata"], found["ContentType"]) == ({"kind": "letter"}, "text/plain")
    assert app.received[0][:2] == ("GET", "/b/a%20folder/%C3%A4.txt")


@pytest.mark.parametrize("body", [b"", b"text", b"many" * 100_000], ids=["none", "text", "long"])
@pytest.mark.parametrize("kind", [bytes, io.BytesIO])
def test_a_body_arrives_whole(s3: Any, app: RecordingApp, body: bytes, kind: Any) -> None:
    s3.put_object(Bucket="b", Key="k", Body=kind(body))
    assert body in app.received[0][2]


@pytest.mark.parametrize("kind", [bytes, io.BytesIO])
def test_a_body_is_sent_whole_again_after_a_closed_connection(
    s3: Any, app: RecordingApp, kind: Any
) -> None:
    again = clients.client("s3", port_of(s3), config=Config(retries={"total_max_attempts": 2}))
    app.closes_once = True
    again.put_object(Bucket="b", Key="k", Body=kind(b"text"))
    assert ["text" in str(body) for _, _, body in app.received] == [True, True]


def port_of(client: Any) -> int:
    return int(client.meta.endpoint_url.rpartition(":")[2])


def test_an_error_of_the_service_is_that_error(s3: Any) -> None:
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="b", Key="missing")


def test_an_answer_to_head_has_no_body(s3: Any) -> None:
    assert s3.head_object(Bucket="b", Key="k")["ContentLength"] == 300_000
    assert s3.head_object(Bucket="b", Key="k")["Metadata"] == {"kind": "letter"}


def test_a_connection_that_closes_without_an_answer_is_a_closed_connection(s3: Any) -> None:
    with pytest.raises(ConnectionClosedError):
        s3.get_object(Bucket="b", Key="close")
    assert s3.get_object(Bucket="b", Key="k")["Body"].read(2) == b"xx"


def test_an_answer_that_comes_too_late_is_a_read_timeout(s3: Any, app: RecordingApp) -> None:
    app.delay = 1.0
    with pytest.raises(ReadTimeoutError):
        s3.get_object(Bucket="b", Key="k")


def test_a_port_without_a_server_cannot_be_connected_to(
    transport: str, environment: dict[str, str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(EndpointConnectionError):
        clients.client("s3", port, config=SHORT).list_buckets()


def test_threads_share_a_client_and_connections_are_used_again(s3: Any, app: RecordingApp) -> None:
    def read() -> None:
        for _ in range(5):
            assert len(s3.get_object(Bucket="b", Key="k")["Body"].read()) == 300_000

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(app.received) == 20
    assert len(app.sockets) <= 8


def test_a_server_that_answers_one_request_a_connection_gets_a_new_one_each_time(
    transport: str, environment: dict[str, str]
) -> None:
    """HTTP/1.0 closes without a header that says so (RFC 9112, section 9.3)."""

    class OneAnswer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"text")
            time.sleep(0.05)  # the connection closes a moment after its answer

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), OneAnswer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            client = clients.client("s3", server.server_port, config=SHORT)
            for _ in range(3):
                assert client.get_object(Bucket="b", Key="k")["Body"].read() == b"text"
        finally:
            server.shutdown()
            thread.join()
