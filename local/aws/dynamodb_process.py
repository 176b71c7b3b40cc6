"""DynamoDB of the local AWS in a process of its own: the interpreter lock of one process is the system's limit.

Most calls of an event are to DynamoDB. The process is a copy (fork(2)) of the one that has deployed the
stack, so that it has the tables and the roles; roles that change later are not seen by it.
"""

import gc
import json
import os
import signal
from collections.abc import Iterable
from socket import socket

import urllib3
from werkzeug.wrappers import Response

from local.aws import faults
from local.aws.http_server import WsgiServer
from local.aws.requests import body_of, json_of, service_of
from local.aws.sockets import HOST, App, Environ, StartResponse, listen

SERVICE = "dynamodb"
CONNECTIONS = 32


class DynamoDbProcess:
    """The part of the local AWS that answers DynamoDB; before `start`, this process answers it."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._process_id = 0
        self._lifeline = -1
        self._there: urllib3.HTTPConnectionPool | None = None

    @property
    def url(self) -> str:
        """Its own URL, for clients that call it often; the others reach it through `in_front_of`."""
        assert self._there is not None
        return f"http://{HOST}:{self._there.port}"

    def start(self, inherited: Iterable[socket]) -> None:
        """Begins to serve; the copy closes the `inherited` sockets, which it must not keep open."""
        sock = listen("DynamoDB", 0, "")
        end, self._lifeline = os.pipe()
        self._process_id = os.fork()
        if not self._process_id:
            os.close(self._lifeline)
            for each in inherited:
                each.close()
            _serve_until_closed(sock, self._app, end)
        os.close(end)
        port: int = sock.getsockname()[1]
        sock.close()
        self._there = urllib3.HTTPConnectionPool(HOST, port, maxsize=CONNECTIONS, retries=False)

    def stop(self) -> None:
        """Ends the process; it ends too when this one dies."""
        os.close(self._lifeline)
        os.waitpid(self._process_id, 0)

    def in_front_of(self, app: App) -> App:
        """`app`, and before it what the process answers: calls of DynamoDB, and faults of theirs."""

        def passing_on(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            if self._there is None:
                return app(environ, start_response)
            if environ.get("PATH_INFO") == faults.PATH:
                return self._faults(app, environ)(environ, start_response)
            if service_of(environ) == SERVICE:
                return self._pass_on(environ)(environ, start_response)
            return app(environ, start_response)

        return passing_on

    def _pass_on(self, environ: Environ) -> Response:
        assert self._there is not None
        try:
            answer = self._there.urlopen(
                environ["REQUEST_METHOD"],
                environ["RAW_URI"],
                body_of(environ),
                dict(_headers(environ)),
                decode_content=False,
            )
        except urllib3.exceptions.HTTPError:
            return faults.disconnected(environ)
        headers = {n: v for n, v in answer.headers.items() if n.lower() != "connection"}
        return Response(answer.data, answer.status, headers)

    def _faults(self, app: App, environ: Environ) -> Response:
        """Arms a fault in the process that it is for; lists and disarms those of both."""
        if environ["REQUEST_METHOD"] == "POST":
            return (
                self._pass_on(environ)
                if _is_for_dynamodb(environ)
                else Response.from_app(app, environ)
            )
        left = Response.from_app(app, environ).get_json() + self._pass_on(environ).get_json()
        return Response(json.dumps(left), content_type="application/json")


def _is_for_dynamodb(environ: Environ) -> bool:
    try:
        return json_of(environ).get("service") == SERVICE
    except (AttributeError, ValueError):  # the fault injector says what is wrong with it
        return False


def _headers(environ: Environ) -> Iterable[tuple[str, str]]:
    for key, value in environ.items():
        if key.startswith("HTTP_") and key not in ("HTTP_CONNECTION", "HTTP_EXPECT"):
            yield key.removeprefix("HTTP_").replace("_", "-"), value
    if "CONTENT_TYPE" in environ:
        yield "Content-Type", environ["CONTENT_TYPE"]


def _serve_until_closed(sock: socket, app: App, lifeline: int) -> None:
    """Serves until the other end of the pipe is closed, and ends this process."""
    # Ctrl-C goes to all processes of a terminal. This one ends last: functions may be writing.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()
    gc.enable()
    WsgiServer(sock, app).start()
    os.read(lifeline, 1)
    os._exit(0)
