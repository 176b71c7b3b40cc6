"""Measures idle connections: senders keep connections open all day."""

import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass

from bench.receiver.processes import HOST, ServerProcess

CONNECTIONS = 500
_OPENING_SECONDS, _WATCHED_SECONDS = 1.5, 4.0


@dataclass(frozen=True, slots=True)
class Idle:
    """The cost of `CONNECTIONS` idle connections: resident memory, and processor time per second. `held`: not closed."""

    mb: float
    cpu_ms: float
    held: int


def watch(process: ServerProcess, port: int) -> Idle:
    """Opens the connections, leaves them idle, and closes them."""
    before = process.resident_mb()
    with ExitStack() as stack:
        opened = [
            stack.enter_context(socket.create_connection((HOST, port), timeout=10))
            for _ in range(CONNECTIONS)
        ]
        time.sleep(_OPENING_SECONDS)
        cpu = process.cpu_seconds()
        time.sleep(_WATCHED_SECONDS)
        used = process.cpu_seconds() - cpu
        more = process.resident_mb() - before
        return Idle(more, used * 1000 / _WATCHED_SECONDS, sum(map(_is_open, opened)))


def _is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
