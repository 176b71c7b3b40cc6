"""One connection to a PIX manager or PDQ supplier: MLLP over TCP or TLS, kept between invocations."""

import select
import socket
import ssl

from hl7.mllp import Decoder, wrap
from lambdas.common.errors import DependencyUnavailableError
from lambdas.lookup_identities.mpi import connection
from lambdas.lookup_identities.mpi.connection import Deadline

MAX_ANSWER_BYTES = 1_000_000
"""Ten patients with every alias take a hundredth of it."""


class MpiConnection:
    """A connection that is opened when first needed. Use it from one thread."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._address = (host, port)
        self._tls = tls
        self._socket: socket.socket | None = None

    def exchange(self, message: bytes, deadline: Deadline) -> bytes:
        """The answer to a message.

        Raises `StaleConnectionError` when a kept connection ended under the query, and
        `DependencyUnavailableError` when the MPI cannot be reached, does not answer in time, or ends a
        new connection.
        """
        kept = self._is_alive()
        try:
            return self._ask(message, deadline)
        except _EndedError as error:
            self.close()
            if kept:
                raise StaleConnectionError from None
            raise DependencyUnavailableError(f"the MPI ended the connection{error}") from None

    def close(self) -> None:
        """Closes the connection. A late answer on it is not read."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, message: bytes, deadline: Deadline) -> bytes:
        try:
            if self._socket is None:
                self._socket = self._open(deadline)
            self._socket.settimeout(deadline.within(connection.FIRST_BYTE_SECONDS))
            self._socket.sendall(wrap(message))
            return self._answer(self._socket, deadline)
        except TimeoutError:
            self.close()  # the answer may yet come, to the next query
            raise DependencyUnavailableError("the MPI: timeout") from None
        except (ConnectionError, ssl.SSLError) as error:
            raise _EndedError(f": {connection.reason_of(error)}") from None
        except OSError as error:
            self.close()
            raise DependencyUnavailableError(f"the MPI: {connection.reason_of(error)}") from None

    def _open(self, deadline: Deadline) -> socket.socket:
        plain = None
        try:
            plain = socket.create_connection(
                self._address, deadline.within(connection.CONNECT_SECONDS)
            )
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if self._tls is None:
                return plain
            return self._tls.wrap_socket(plain, server_hostname=self._address[0])
        except (OSError, ValueError) as error:
            if plain is not None:
                plain.close()
            raise DependencyUnavailableError(f"the MPI: {connection.reason_of(error)}") from None

    def _answer(self, sock: socket.socket, deadline: Deadline) -> bytes:
        decoder = Decoder(MAX_ANSWER_BYTES)
        while True:
            received = sock.recv(65536)
            frames = decoder.feed(received)
            if frames and frames[0].fault is None:
                return frames[0].message
            if frames or not received:
                raise _EndedError
            sock.settimeout(deadline.within(connection.FIRST_BYTE_SECONDS))

    def _is_alive(self) -> bool:
        """Whether a kept connection can be used: nothing to read means neither an end nor a late answer."""
        if self._socket is None:
            return False
        if select.select([self._socket], [], [], 0)[0]:
            self.close()
            return False
        return True


class StaleConnectionError(Exception):
    """A connection kept from an earlier query has ended. Ask again, with another MSH-10.

    A query changes nothing, so that one which the MPI may have read already can be repeated.
    """


class _EndedError(Exception):
    """The other side ended the connection, or sent bytes that are no frame."""
