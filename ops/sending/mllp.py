"""An MLLP client: sends one message at a time and waits for its acknowledgement."""

import socket
import ssl
import time
from typing import Self

from hl7.acknowledgement import ReceivedAcknowledgement, read_answer
from hl7.mllp import Decoder, wrap
from ops.problem import ProblemError
from ops.sending.messages import OutgoingMessage
from ops.sending.tls import TlsOptions, problem

MAX_ANSWER_BYTES = 1 << 20
NOT_ASKED_FOR = ReceivedAcknowledgement("none", "no acknowledgement, as MSH-15 and MSH-16 ask")
"""The result when MSH-15 and MSH-16 ask for no acknowledgement and none came."""


class ReceiverConnection:
    """A connection to a receiver, opened at the first message and reopened after the receiver closed it.

    With `tls` it uses TLS. Raises `ProblemError` when the files of `tls` cannot be used.
    """

    def __init__(self, host: str, port: int, timeout: float, tls: TlsOptions | None = None) -> None:
        self.host, self.port, self.timeout = host, port, timeout
        self._server_name = (tls.server_name if tls else "") or host
        self._context = tls.context(host) if tls else None
        self._socket: socket.socket | None = None
        self._decoder = Decoder(MAX_ANSWER_BYTES)
        self._answered = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection if one is open."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._decoder = Decoder(MAX_ANSWER_BYTES)

    def send(self, message: OutgoingMessage) -> ReceivedAcknowledgement:
        """Sends a message and returns its acknowledgement, with code "" when none came in time.

        Raises `ProblemError` when the connection or TLS fails.
        """
        connection = self._socket or self._open()
        try:
            connection.sendall(wrap(message.body))
            if message.answered == "never":
                return NOT_ASKED_FOR
            answer = self._answer(connection)
        except TimeoutError:
            self.close()
            if message.answered == "sometimes":
                return NOT_ASKED_FOR
            return ReceivedAcknowledgement("", f"no acknowledgement within {self.timeout:g} s")
        except ssl.SSLError as error:
            # In TLS 1.3 the alert about a client certificate comes after the handshake (RFC 8446, 4.4.2.4).
            self.close()
            raise problem(error, self._place, self._server_name) from None
        except ConnectionError as error:
            self.close()
            broke = f"connection lost ({type(error).__name__})"
            return ReceivedAcknowledgement("", broke + self._hint(connection))
        self._answered = True
        acknowledgement = read_answer(answer)
        if acknowledgement.code and acknowledgement.control_id != message.control_id:
            self.close()
            return ReceivedAcknowledgement("", "the acknowledgement is for another message (MSA-2)")
        return acknowledgement

    def _hint(self, connection: socket.socket) -> str:
        """A likely reason for a connection that is lost before its first answer.

        The TCP reset after the receiver's TLS alert can discard the alert.
        """
        if self._answered:
            return ""
        if not isinstance(connection, ssl.SSLSocket):
            return "; does the receiver expect --tls?"
        return "; does the receiver expect another client certificate (--cert and --key)?"

    @property
    def _place(self) -> str:
        return f"{self.host}:{self.port}"

    def _open(self) -> socket.socket:
        try:
            plain = socket.create_connection((self.host, self.port), self.timeout)
        except OSError as error:
            raise ProblemError(
                f"Cannot connect to a receiver at {self._place} ({error.strerror or error})."
            ) from None
        self._socket = self._secured(plain, self._context) if self._context else plain
        return self._socket

    def _secured(self, plain: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
        """The connection after its TLS handshake."""
        try:
            return context.wrap_socket(plain, server_hostname=self._server_name)
        except OSError as error:
            plain.close()
            if isinstance(error, ssl.SSLError):
                raise problem(error, self._place, self._server_name) from None
            if isinstance(error, TimeoutError):
                raise ProblemError(
                    f"TLS with {self._place}: no handshake within {self.timeout:g} s."
                    " If the receiver does not use TLS, try without --tls."
                ) from None
            raise ProblemError(
                f"TLS with {self._place}: the receiver ended the handshake"
                f" ({type(error).__name__}): try without --tls."
            ) from None

    def _answer(self, connection: socket.socket) -> bytes:
        """The next frame. The timeout is for the whole frame, not for each read."""
        deadline = time.monotonic() + self.timeout
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            connection.settimeout(left)
            data = connection.recv(65536)
            frames = self._decoder.feed(data) if data else self._decoder.end()
            if frames:
                connection.settimeout(self.timeout)
                return frames[0].message
            if not data:
                raise ConnectionResetError
