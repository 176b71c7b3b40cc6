"""HTTP/1.1 to one host over pooled connections, limited to the needs of S3 and SQS calls.

It uses less than a tenth of boto3's processor time (docs/adr/0024-own-aws-client-in-the-receiver.md).
"""

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass, field
from typing import cast

import httptools


class ExchangeError(Exception):
    """Raised when no response comes: connect error, broken connection or timeout.

    `reused`: it broke on a connection from the pool, which the service may have closed before.
    """

    def __init__(self, reason: str, *, reused: bool = False) -> None:
        super().__init__(reason)
        self.reused = reused


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response: status, headers by their lower-case names, body."""

    status: int
    headers: dict[bytes, bytes] = field(repr=False)
    body: bytes = field(repr=False)


class HttpPool:
    """At most `size` connections to one host. A request waits for a free connection, in order (FIFO)."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None,
        size: int,
        connect_seconds: float,
        answer_seconds: float,
    ) -> None:
        self._address = host, port
        self._tls = tls
        self._size = size
        self._connect_seconds = connect_seconds
        self._answer_seconds = answer_seconds
        self._open = 0
        self._free: list[_HttpConnection] = []
        self._waiting: deque[asyncio.Future[_HttpConnection | None]] = deque()

    async def exchange(self, request: bytes, body: bytes, *, has_body: bool = True) -> HttpResponse:
        """Returns the response to a request (head, then body). `has_body` is False for HEAD.

        Raises `ExchangeError` when none comes in time.
        """
        connection = await self._take()
        try:
            return await connection.exchange(request, body, has_body, self._answer_seconds)
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Closes every idle connection."""
        for connection in self._free:
            connection.close()
        self._free.clear()

    async def _take(self) -> "_HttpConnection":
        while True:
            while self._free:
                connection = self._free.pop()
                if connection.usable:
                    return connection
                self._open -= 1
            if self._open < self._size:
                return await self._connect()
            turn: asyncio.Future[_HttpConnection | None]
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                passed_on = await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled() and (unused := turn.result()):
                    self._give_back(unused)
                elif turn.done() and not turn.cancelled():
                    self._wake(None)
                raise
            if passed_on is not None and passed_on.usable:
                return passed_on
            if passed_on is not None:
                self._open -= 1

    async def _connect(self) -> "_HttpConnection":
        self._open += 1
        host, port = self._address
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, connection = await asyncio.get_running_loop().create_connection(
                    _HttpConnection,
                    host,
                    port,
                    ssl=self._tls,
                    server_hostname=host if self._tls else None,
                )
        except (OSError, TimeoutError) as error:
            self._lose()
            raise ExchangeError(f"cannot connect: {type(error).__name__}") from None
        except BaseException:
            self._lose()
            raise
        return connection

    def _give_back(self, connection: "_HttpConnection") -> None:
        if not connection.usable:
            connection.close()
            self._lose()
        elif not self._wake(connection):
            self._free.append(connection)

    def _lose(self) -> None:
        self._open -= 1
        self._wake(None)

    def _wake(self, connection: "_HttpConnection | None") -> bool:
        """Gives a connection, or the slot for one, to the longest waiting request; False when none waits."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return True
        return False


class _HttpConnection(asyncio.Protocol):
    """One connection. httptools (llhttp) reads the answer."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._answer: asyncio.Future[HttpResponse] | None = None
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._has_body = True
        self._used = self._reused = False
        self.usable = False

    async def exchange(
        self, request: bytes, body: bytes, has_body: bool, seconds: float
    ) -> HttpResponse:
        self._reused, self._used, self.usable = self._used, True, False
        self._parser = httptools.HttpResponseParser(self)
        self._answer = self._loop.create_future()
        self._headers, self._body, self._has_body = {}, [], has_body
        timer = self._loop.call_later(seconds, self._fail, "no answer in time")
        transport = cast(asyncio.Transport, self._transport)
        if len(body) < 8192:  # one segment, one system call
            transport.write(request + body)
        else:
            transport.writelines((request, body))
        try:
            return await self._answer
        finally:
            timer.cancel()
            self._answer = None

    def close(self) -> None:
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.usable = True

    def data_received(self, data: bytes) -> None:
        if self._parser is None or self._answer is None:
            self.close()  # no request is pending
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail("the answer is not HTTP")

    def connection_lost(self, _: Exception | None) -> None:
        self._fail("the connection broke", reused=self._reused)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        if not self._has_body:
            self._complete()

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._has_body:
            self._complete()

    def _complete(self) -> None:
        parser, answer = self._parser, self._answer
        if parser is None or answer is None or answer.done():
            return
        status = parser.get_status_code()
        if status < 200:  # 100 Continue: the final answer follows
            self._headers.clear()
            return
        transport = self._transport
        self.usable = (
            parser.should_keep_alive() and transport is not None and not transport.is_closing()
        )
        answer.set_result(HttpResponse(status, self._headers, b"".join(self._body)))

    def _fail(self, reason: str, *, reused: bool = False) -> None:
        self.usable = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ExchangeError(reason, reused=reused))
