"""The receiver's HTTP pool against a server on loopback: waiting, cancelling, timeouts and answers."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from receiver.storage.aws_client.http import ExchangeError, HttpPool, HttpResponse

HEAD = b"PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

Respond = Callable[[int, asyncio.StreamWriter], Awaitable[None]]


def run(respond: Respond, act: Callable[[HttpPool], Awaitable[None]], *, size: int = 1) -> int:
    """Runs `act` with a pool to a server that answers request number n by `respond(n, writer)`.

    Returns how many connections the server took.
    """
    connections = requests = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections, requests
        connections += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                requests += 1
                await respond(requests, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def whole() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        pool = HttpPool(
            "127.0.0.1", port, tls=None, size=size, connect_seconds=2, answer_seconds=0.3
        )
        try:
            await act(pool)
        finally:
            pool.close()
            server.close()

    asyncio.run(whole())
    return connections


def always(answer: bytes) -> Respond:
    """Answers every request with these bytes."""

    async def respond(_: int, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return respond


def answers(answer: bytes, *, has_body: bool = True) -> HttpResponse:
    """The response that the pool reads from these bytes."""
    found: list[HttpResponse] = []

    async def act(pool: HttpPool) -> None:
        found.append(await pool.exchange(HEAD, b"", has_body=has_body))

    run(always(answer), act)
    return found[0]


def test_waiting_requests_get_a_connection_in_the_order_of_arrival() -> None:
    order: list[int] = []

    async def act(pool: HttpPool) -> None:
        async def one(number: int) -> None:
            await pool.exchange(HEAD, b"")
            order.append(number)

        await asyncio.gather(*(one(number) for number in range(6)))

    assert run(always(OK), act) == 1
    assert order == list(range(6))


@pytest.mark.parametrize("cancelled_while", ["waiting for a connection", "waiting for an answer"])
def test_a_cancelled_request_leaves_its_place_to_the_next(cancelled_while: str) -> None:
    async def respond(number: int, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1 if number == 1 else 0)
        writer.write(OK)

    async def act(pool: HttpPool) -> None:
        first = asyncio.create_task(pool.exchange(HEAD, b""))
        second = asyncio.create_task(pool.exchange(HEAD, b""))
        await asyncio.sleep(0.03)
        dropped = second if cancelled_while == "waiting for a connection" else first
        dropped.cancel()
        kept = first if dropped is second else second
        assert (await kept).body == b"ok"
        assert (await pool.exchange(HEAD, b"")).body == b"ok"

    run(respond, act)


def test_a_request_without_an_answer_in_time_fails_and_its_connection_is_not_used_again() -> None:
    async def respond(number: int, writer: asyncio.StreamWriter) -> None:
        if number > 1:
            writer.write(OK)

    async def act(pool: HttpPool) -> None:
        with pytest.raises(ExchangeError, match="no answer in time") as raised:
            await pool.exchange(HEAD, b"")
        assert not raised.value.reused
        assert (await pool.exchange(HEAD, b"")).body == b"ok"

    assert run(respond, act) == 2


def test_an_answer_that_breaks_off_is_an_error() -> None:
    async def respond(_: int, writer: asyncio.StreamWriter) -> None:
        writer.write(OK[:-1])
        writer.close()

    async def act(pool: HttpPool) -> None:
        with pytest.raises(ExchangeError, match="the connection broke"):
            await pool.exchange(HEAD, b"")

    run(respond, act)


def test_bytes_that_are_not_http_are_an_error() -> None:
    async def act(pool: HttpPool) -> None:
        with pytest.raises(ExchangeError, match="not HTTP"):
            await pool.exchange(HEAD, b"")

    run(always(b"MSH|^~\\&|\r\n\r\n"), act)


def test_a_port_where_nothing_listens_is_an_error() -> None:
    async def act() -> None:
        server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        pool = HttpPool("127.0.0.1", port, tls=None, size=1, connect_seconds=2, answer_seconds=1)
        for _ in range(2):  # the failed attempt holds no place of the pool
            with pytest.raises(ExchangeError, match="cannot connect: ConnectionRefusedError"):
                await asyncio.wait_for(pool.exchange(HEAD, b""), 5)

    asyncio.run(act())


def test_the_answer_behind_100_continue_is_the_one_that_counts() -> None:
    # RFC 9110 15.2: a client reads over interim responses.
    assert answers(b"HTTP/1.1 100 Continue\r\nx-interim: 1\r\n\r\n" + OK) == HttpResponse(
        200, {b"content-length": b"2"}, b"ok"
    )


def test_an_answer_to_head_has_a_length_and_no_body() -> None:
    # RFC 9110 9.3.2.
    found = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 812\r\n\r\n", has_body=False)
    assert (found.headers[b"content-length"], found.body) == (b"812", b"")


def test_a_chunked_answer_is_joined() -> None:
    # RFC 9112 7.1: S3 sends its error documents in chunks.
    chunks = (
        b"HTTP/1.1 403 No\r\ntransfer-encoding: chunked\r\n\r\n3\r\n<Er\r\n4\r\nror>\r\n0\r\n\r\n"
    )
    assert answers(chunks).body == b"<Error>"
