"""The simulated MPI's MLLP listener: a thread for each connection, with TLS if it has a context."""

import socket
import socketserver
import ssl
import threading
from collections import deque
from pathlib import Path
from typing import Literal

from hl7.mllp import Decoder, wrap
from simulators.pix_manager.answers import QueryResponder
from simulators.pix_manager.people import SimulatedPatients

HOST = "127.0.0.1"
MAX_QUERY_BYTES = 1 << 20

Fault = Literal["close", "silent", "other_msa", "other_qak", "garbage", "internal_error"]


class _MllpListener(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True
    request_queue_size = 128


class PixManager:
    """A running PIX manager. `queries` and `connections` count those received."""

    def __init__(
        self, people: SimulatedPatients | Path, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.answers = QueryResponder(
            people if isinstance(people, SimulatedPatients) else SimulatedPatients(people)
        )
        self._faults: deque[Fault] = deque()
        self._open: set[socket.socket] = set()
        self.queries: list[bytes] = []
        self.connections = 0
        self._stopping = threading.Event()
        self._tls = tls
        self._server = _MllpListener((HOST, port), self._handler())
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def start(self) -> "PixManager":
        """Starts to serve, and returns itself."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Closes every connection and stops listening."""
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self.drop()
        self._server.server_close()

    def fail_next(self, *faults: Fault) -> None:
        """Causes one fault for each of the next queries."""
        self._faults.extend(faults)

    def drop(self) -> None:
        """Closes every open connection, like a firewall or a restart."""
        for sock in list(self._open):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # closed by the client already

    def _handler(self) -> type[socketserver.BaseRequestHandler]:
        manager = self

        class MllpHandler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                manager.connections += 1
                try:
                    tls = manager._tls
                    sock = tls.wrap_socket(self.request, server_side=True) if tls else self.request
                    manager._open.add(sock)
                    try:
                        manager._serve(sock)
                    finally:
                        manager._open.discard(sock)
                        sock.close()
                except OSError:
                    return  # closed by the client

        return MllpHandler

    def _serve(self, sock: socket.socket) -> None:
        decoder = Decoder(MAX_QUERY_BYTES)
        while received := sock.recv(65536):
            for frame in decoder.feed(received):
                if not self._answered(sock, frame.message):
                    return

    def _answered(self, sock: socket.socket, query: bytes) -> bool:
        """Answers a query, normally or with the next fault. Returns whether the connection stays open."""
        self.queries.append(query)
        fault = self._faults.popleft() if self._faults else None
        if fault == "silent":
            self._stopping.wait(8)
        if fault in ("close", "silent"):
            return False
        sock.sendall(wrap(spoilt(self.answers.answer(query), fault)))
        return True


def spoilt(answer: bytes, fault: Fault | None) -> bytes:
    """Returns the answer with the fault applied."""
    lines = answer.split(b"\r")
    if fault == "garbage":
        return b"no message"
    if fault == "other_msa":
        lines[1] = lines[1][:7] + b"SOMEBODY-ELSES"
    if fault == "other_qak":
        lines = [line[:4] + b"OTHER|OK" if line.startswith(b"QAK") else line for line in lines]
    if fault == "internal_error":
        code = b"ERR||MSH^1|207^Application internal error^HL70357|E"
        lines = [lines[0], lines[1][:4] + b"AE" + lines[1][6:], code, b""]
    return b"\r".join(lines)
