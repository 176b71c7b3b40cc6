"""Small HTTP servers on the loopback address, one thread each, and the sockets they listen on."""

import errno
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

HOST = "127.0.0.1"

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]


class PortError(Exception):
    """A port that we need is taken, or is none; the text says which, and how to choose another."""


class _QuietHandler(MotoRequestHandler):
    """A request handler that writes no line per request: the terminal belongs to the user."""

    def log_request(self, *_: Any, **__: Any) -> None:
        pass


def listen(name: str, port: int, variable: str) -> socket.socket:
    """A socket that listens on 127.0.0.1; port 0 takes any free one.

    Raises `PortError` with the sentence to show: what the port is for and how to move it.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # A port left in TIME_WAIT by the last run is free; one that somebody listens on is not.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
    except OSError as error:
        sock.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise PortError(
            f"Port {port} ({name}) is in use: stop what listens on it, or choose another with {variable}=<port>."
        ) from None
    sock.listen(128)
    return sock


class WsgiServer:
    """A WSGI app served by threads; it answers once `start` has returned."""

    def __init__(self, sock: socket.socket, app: App) -> None:
        self.port: int = sock.getsockname()[1]
        self._socket = sock
        self._server: BaseWSGIServer = make_server(
            HOST,
            self.port,
            app,
            threaded=True,
            request_handler=_QuietHandler,
            fd=sock.fileno(),
        )
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        """Where the server answers, like `http://127.0.0.1:4566`."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> "WsgiServer":
        """Begins to serve; returns itself."""
        self._thread.start()
        return self

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.1)

    def stop(self) -> None:
        """Stops serving and closes the socket."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._socket.close()
