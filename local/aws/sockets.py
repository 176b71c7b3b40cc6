"""The loopback sockets that the parts listen on, and the types of WSGI."""

import errno
import socket
from collections.abc import Callable, Iterable
from typing import Any

HOST = "127.0.0.1"

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]


class PortError(Exception):
    """A port that we need is taken, or is none; the text says which, and how to choose another."""


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
