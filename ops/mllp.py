"""An MLLP client: one connection, one message at a time, each waiting for its acknowledgement."""

import socket
import time
from types import TracebackType
from typing import Self

from hl7.acknowledgement import Answer, read_answer
from hl7.mllp import Decoder, wrap
from ops.messages import OutgoingMessage
from ops.problem import ProblemError

MAX_ANSWER_BYTES = 1 << 20
NOT_ASKED_FOR = Answer("none", "no acknowledgement, as MSH-15 and MSH-16 ask")
"""Silence that the message itself asked for; `accepted` is not known."""


class Connection:
    """A connection to a receiver, opened when first needed and again after a receiver closed it."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self.host, self.port, self.timeout = host, port, timeout
        self._socket: socket.socket | None = None
        self._decoder = Decoder(MAX_ANSWER_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection if one is open."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._decoder = Decoder(MAX_ANSWER_BYTES)

    def send(self, message: OutgoingMessage) -> Answer:
        """Sends a message and returns its acknowledgement, with code "" when none came in time.

        Raises `ProblemError` when nobody listens.
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
            return Answer("", f"no acknowledgement within {self.timeout:g} s")
        except ConnectionError as error:
            self.close()
            return Answer("", f"the connection broke ({type(error).__name__})")
        acknowledgement = read_answer(answer)
        if acknowledgement.code and acknowledgement.control_id != message.control_id:
            self.close()
            return Answer("", "the acknowledgement is for another message (MSA-2)")
        return acknowledgement

    def _open(self) -> socket.socket:
        try:
            self._socket = socket.create_connection((self.host, self.port), self.timeout)
        except OSError as error:
            raise ProblemError(
                f"No receiver answers at {self.host}:{self.port} ({error.strerror or error})."
            ) from None
        return self._socket

    def _answer(self, connection: socket.socket) -> bytes:
        """The next frame; a receiver that drips bytes does not prolong the wait."""
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
                return frames[0].payload
            if not data:
                raise ConnectionResetError
