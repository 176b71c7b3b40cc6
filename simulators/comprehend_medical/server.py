"""Serves the simulator on a loopback port, with a thread for each request and no request log."""

from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from simulators.comprehend_medical.answers import warm
from simulators.comprehend_medical.app import create_app

HOST = "127.0.0.1"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing, because requests hold patients' notes."""


def server(port: int = 0) -> WSGIServer:
    """Returns a server bound to the port (0: a free one) with its lexicons loaded; `serve_forever` runs it."""
    warm()
    return make_server(HOST, port, create_app(), server_class=_Server, handler_class=_Quiet)
