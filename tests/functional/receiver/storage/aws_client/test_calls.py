"""The receiver's AWS client against a server on loopback: retries, pool, TLS and expired credentials."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from receiver.errors import StoreUnavailableError
from receiver.storage.aws_client.calls import (
    AwsService,
    Call,
    ProcessCredentials,
    ServiceResponseError,
)
from tests.support.tls import authority, context_for

CALL = Call("PutObject", "PUT", "/events/a/message.hl7", {"content-type": "x/y"}, b"MSH|")
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
SLOW_DOWN = b"<Error><Code>SlowDown</Code></Error>"
EXPIRED = b"<Error><Code>ExpiredToken</Code></Error>"


def refusal(status: int, body: bytes = b"") -> bytes:
    """An answer with an error status."""
    return b"HTTP/1.1 %d No\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)


class RenewedCredentials:
    """botocore's credentials of a task: each read gives the next session token."""

    def __init__(self) -> None:
        self.reads = 0

    def get_frozen_credentials(self) -> Any:
        """The answer of botocore."""
        self.reads += 1
        return SimpleNamespace(access_key="AKID", secret_key="s", token=f"token-{self.reads}")


class CannedServer:
    """Answers the requests in turn, the last answer again and again; b"" closes the connection."""

    def __init__(self, *answers: bytes, close_after_answer: bool = False) -> None:
        self.answers = list(answers)
        self.close_after_answer = close_after_answer
        self.connections = 0
        self.heads: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection."""
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0])
                await reader.readexactly(length)
                self.heads.append(head)
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if not answer:
                    return
                writer.write(answer)
                await writer.drain()
                if self.close_after_answer:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


def against(
    server: CannedServer,
    act: Callable[[AwsService], Awaitable[None]],
    *,
    tls: ssl.SSLContext | None = None,
    ca_bundle: str = "",
    connections: int = 4,
) -> RenewedCredentials:
    """Runs `act` with a client of the server; returns its credentials."""
    credentials = RenewedCredentials()

    async def run() -> None:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
        port = listening.sockets[0].getsockname()[1]
        url = f"{'https' if tls else 'http'}://localhost:{port}"
        identity = ProcessCredentials(SimpleNamespace(get_credentials=lambda: credentials))
        service = AwsService("s3", url, "us-east-1", identity, connections, ca_bundle=ca_bundle)
        try:
            await act(service)
        finally:
            service.close()
            listening.close()

    asyncio.run(run())
    return credentials


async def call(service: AwsService) -> None:
    assert (await service.call(CALL)).body == b"ok"


def test_a_transient_failure_is_tried_once_more() -> None:
    for failure in (refusal(503, SLOW_DOWN), refusal(500), refusal(429), refusal(400, SLOW_DOWN)):
        server = CannedServer(failure, OK)
        against(server, call)
        assert len(server.heads) == 2


def test_a_second_transient_failure_is_told_with_its_code() -> None:
    async def act(service: AwsService) -> None:
        with pytest.raises(ServiceResponseError, match=r"^s3 PutObject: SlowDown$"):
            await service.call(CALL)

    server = CannedServer(refusal(503, SLOW_DOWN))
    against(server, act)
    assert len(server.heads) == 2


def test_a_refusal_that_no_retry_mends_is_told_at_once() -> None:
    async def act(service: AwsService) -> None:
        with pytest.raises(ServiceResponseError) as raised:
            await service.call(CALL)
        assert (raised.value.code, raised.value.status) == ("AccessDenied", 403)

    server = CannedServer(refusal(403, b"<Error><Code>AccessDenied</Code></Error>"))
    against(server, act)
    assert len(server.heads) == 1


def test_expired_credentials_are_read_again_before_the_second_try() -> None:
    server = CannedServer(refusal(400, EXPIRED), OK)
    credentials = against(server, call)
    assert credentials.reads == 2
    first, second = server.heads
    assert b"x-amz-security-token: token-1\r\n" in first
    assert b"x-amz-security-token: token-2\r\n" in second


def test_a_pooled_connection_that_died_does_not_cost_a_try() -> None:
    async def act(service: AwsService) -> None:
        await call(service)
        await asyncio.sleep(0)
        await call(service)

    # The second request meets a closed connection, its repetition a 503: one more try is left.
    server = CannedServer(OK, b"", refusal(503), OK)
    against(server, act)
    assert len(server.heads) == 4


def test_a_connection_is_used_again() -> None:
    async def act(service: AwsService) -> None:
        for _ in range(5):
            await call(service)

    server = CannedServer(OK)
    against(server, act)
    assert server.connections == 1


def test_no_more_connections_are_opened_than_the_pool_holds() -> None:
    async def act(service: AwsService) -> None:
        await asyncio.gather(*(call(service) for _ in range(20)))

    server = CannedServer(OK)
    against(server, act, connections=3)
    assert (server.connections, len(server.heads)) == (3, 20)


def test_a_server_that_closes_after_each_answer_is_served_with_new_connections() -> None:
    async def act(service: AwsService) -> None:
        for _ in range(3):
            await call(service)

    server = CannedServer(OK, close_after_answer=True)
    against(server, act)
    assert server.connections == 3


def test_a_server_that_answers_nothing_is_unavailable() -> None:
    async def act(service: AwsService) -> None:
        with pytest.raises(StoreUnavailableError, match="the connection broke"):
            await service.call(CALL)

    against(CannedServer(b""), act)


def test_the_servers_certificate_is_verified(tmp_path: Path) -> None:
    root, stranger = authority(), authority()
    bundle, other = tmp_path / "ca.pem", tmp_path / "other.pem"
    bundle.write_text(root.pem)
    other.write_text(stranger.pem)
    tls = context_for(root.issue("localhost"), root, tmp_path)
    against(CannedServer(OK), call, tls=tls, ca_bundle=str(bundle))

    async def refused(service: AwsService) -> None:
        with pytest.raises(StoreUnavailableError, match="cannot connect: SSLCertVerification"):
            await service.call(CALL)

    against(CannedServer(OK), refused, tls=tls, ca_bundle=str(other))
    # Without a bundle of one's own: botocore's, which knows no authority of this test.
    against(CannedServer(OK), refused, tls=tls)
