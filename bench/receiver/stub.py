"""`python -m bench.receiver.stub PORT`: S3, SQS and Secrets Manager as far as a receiver calls them.

Every contender stores here, so it is cheap: one thread, no XML or checksum work beyond what the SDKs
verify. With `--durable FILE` each object and each queue message is also appended to FILE as a JSON
line before it is confirmed, so what was confirmed outlives every receiver and can be counted; with
`--fail-rate` that share of calls fails, half of them after they took effect, and that share of a
batch's entries. It needs no package; uvloop is used where there is one.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import ssl
from http import HTTPStatus
from pathlib import Path
from typing import cast

from bench.receiver.stub_services import Services, StubRequest, StubResponse

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Http(asyncio.Protocol):
    """One client's connection: HTTP/1.1 requests in, answers out, in order."""

    def __init__(self, services: Services, delay: float, fail_rate: float) -> None:
        self._services = services
        self._delay = delay
        self._fail_rate = fail_rate
        self._buffer = bytearray()
        self._request: StubRequest | None = None
        self._left = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Stores the transport."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass

    def data_received(self, data: bytes) -> None:
        """Answers every request that is whole."""
        self._buffer += data
        while self._next():
            pass

    def connection_lost(self, _: Exception | None) -> None:
        """Removes the transport."""
        self._transport = None

    def _next(self) -> bool:
        if self._request is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return False
            self._request = StubRequest.read(bytes(self._buffer[:end]))
            del self._buffer[: end + 4]
            self._left = int(self._request.headers.get("content-length", "0"))
            if "expect" in self._request.headers and self._transport is not None:
                self._transport.write(_CONTINUE)
        if len(self._buffer) < self._left:
            return False
        request, self._request = self._request, None
        request.body = bytes(self._buffer[: self._left])
        del self._buffer[: self._left]
        self._serve(request)
        return True

    def _serve(self, request: StubRequest) -> None:
        failing = self._fail_rate and random.random() < self._fail_rate
        if failing and random.random() < 0.5:
            reply: StubResponse | None = StubResponse.failure(
                HTTPStatus.SERVICE_UNAVAILABLE, request
            )
        else:
            reply = self._services.answer(request)
            if failing:  # it took effect, and the caller does not get to know
                reply = None
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._send, reply)
        else:
            self._send(reply)

    def _send(self, reply: StubResponse | None) -> None:
        if self._transport is None:
            return
        if reply is None:
            self._transport.abort()
        else:
            self._transport.write(reply.encode())


async def serve(options: argparse.Namespace) -> None:
    """Serves until SIGTERM."""
    services = Services(Path(options.durable) if options.durable else None, options.fail_rate)
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    server = await loop.create_server(
        lambda: Http(services, options.delay_ms / 1000, options.fail_rate),
        "127.0.0.1",
        options.port,
        backlog=1024,
        ssl=_tls(options),
    )
    print(json.dumps({"port": server.sockets[0].getsockname()[1], "pid": os.getpid()}), flush=True)
    await ended.wait()
    server.close()
    services.close()


def _tls(options: argparse.Namespace) -> ssl.SSLContext | None:
    if not options.certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options.certificate, options.key)
    return context


def main() -> None:
    """Reads the options and serves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int, help="0 for a free one, which is printed")
    parser.add_argument("--durable", help="the file to append to")
    parser.add_argument("--fail-rate", type=float, default=0.0, help="0.05: one call in twenty")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="what each call takes longer")
    parser.add_argument("--certificate", help="a PEM file: the stub then speaks TLS")
    parser.add_argument("--key", help="the certificate's key")
    options = parser.parse_args()
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(options))
    else:
        uvloop.run(serve(options))


if __name__ == "__main__":
    main()
