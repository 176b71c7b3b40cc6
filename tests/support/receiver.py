"""An MLLP receiver on loopback whose answers a test decides."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from hl7.mllp import Decoder, wrap
from tests.support.messages import header_field

Answer = Callable[[bytes], bytes | None]


def accept(message: bytes) -> bytes:
    """AA."""
    return acknowledge(message, b"AA")


def acknowledge(message: bytes, code: bytes, rest: bytes = b"") -> bytes:
    """An acknowledgement with this code, and more segments or fields after MSA-2."""
    control_id = header_field(message, 10)
    return b"MSH|^~\\&|R|R|S|S|20261123||ACK|1|P|2.5\rMSA|%b|%b%b\r" % (code, control_id, rest)


class StubReceiver:
    """A receiver whose answers a test decides; None closes the connection instead."""

    def __init__(self) -> None:
        self.answer: Answer = accept
        self.received: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stops listening."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        decoder = Decoder(1 << 20)
        while data := connection.recv(65536):
            for frame in decoder.feed(data):
                self.received.append(frame.message)
                answer = self.answer(frame.message)
                if answer is None:
                    return
                if answer:
                    connection.sendall(wrap(answer))
