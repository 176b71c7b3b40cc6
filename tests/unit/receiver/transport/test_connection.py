"""A connection whose peer does nothing, with a transport that only records."""

import asyncio
import io
import socket
import struct
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, cast

import pytest

from hl7.mllp import Decoder, Frame, wrap
from receiver.intake.intake import Intake
from receiver.intake.sender_table import Origin, SenderTable
from receiver.settings import ReceiverSettings
from receiver.storage.turns import Turns
from receiver.telemetry.log import Log
from receiver.telemetry.metrics import Metrics
from receiver.transport.connection import MllpConnection
from receiver.transport.shares import Shares

SETTINGS = ReceiverSettings(
    *("test", "vault", "queue", "key", "configuration", "configuration.json", "r1"),
    end_block_seconds=0.05,
)


class FakeTransport(asyncio.Transport):
    """Remembers what was done to it."""

    def __init__(self) -> None:
        super().__init__()
        self.socket = socket.socket()
        self.written = b""
        self.reading = True
        self.aborted = self.has_ended = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 1), "socket": self.socket}.get(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.has_ended:
            raise RuntimeError("Cannot call write() after write_eof()")
        self.written += bytes(data)

    def is_reading(self) -> bool:
        return self.reading

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def abort(self) -> None:
        self.aborted = True

    def write_eof(self) -> None:
        self.has_ended = True

    def close(self) -> None:
        self.has_ended = True


class FakeIntake:
    """Answers a frame with its own bytes once `gate` is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.answered = 0

    async def answer(
        self, frame: Frame, origin: Origin, turns: Turns, spent: Callable[[float], None]
    ) -> bytes | None:
        await self.gate.wait()
        self.answered += 1
        return frame.message


class FakeOwner:
    """A server with one connection."""

    def __init__(self, **limits: Any) -> None:
        self.settings = replace(SETTINGS, **limits)
        self.log = Log(io.StringIO())
        self.metrics = Metrics("test", self.log)
        self.fake = FakeIntake()
        self.intake = cast(Intake, self.fake)
        self.senders = SenderTable((), reject_unknown=False)
        self.transport = FakeTransport()
        self.shares = Shares(self.settings.max_held_bytes, self.settings.store_connections)
        self.lost = asyncio.Event()

    def may_log(self, peer: str) -> bool:
        return True

    def opened(self, connection: MllpConnection) -> None:
        connection.share.members.add(connection)

    def closed(self, connection: MllpConnection) -> None:
        connection.share.members.discard(connection)
        self.lost.set()

    def failed(self, task: str, error: Exception) -> None:
        raise error

    def connect(self) -> MllpConnection:
        connection = MllpConnection(self, self.shares.of("127.0.0.1"))
        connection.connection_made(self.transport)
        self.transport.socket.close()
        return connection

    def answers(self) -> list[bytes]:
        return [frame.message for frame in Decoder(1 << 20).feed(self.transport.written)]


async def connect_socket(owner: FakeOwner) -> tuple[MllpConnection, socket.socket]:
    """A connection on a real socket with small buffers, and its sender's end."""
    owner.transport.socket.close()
    sender = socket.socket()
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender.connect(listener.getsockname())
        accepted, _ = listener.accept()
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    accepted.setblocking(False)
    connection = MllpConnection(owner, owner.shares.of("127.0.0.1"))
    await asyncio.get_running_loop().connect_accepted_socket(lambda: connection, accepted)
    return connection, sender


def run(job: Coroutine[Any, Any, None]) -> None:
    asyncio.run(job)


def test_a_sender_that_does_not_read_its_answers_is_not_read_from_and_is_cut_off() -> None:
    async def job() -> None:
        owner = FakeOwner()
        connection = owner.connect()
        connection.pause_writing()
        connection.data_received(wrap(b"MSH|a\r"))
        assert not owner.transport.reading
        connection.check(time.monotonic() + 1)
        assert not owner.transport.aborted
        connection.check(time.monotonic() + SETTINGS.frame_seconds + 1)
        assert owner.transport.aborted

    run(job())


def test_a_sender_that_reads_again_gets_its_answers() -> None:
    async def job() -> None:
        owner = FakeOwner()
        owner.fake.gate.set()
        connection = owner.connect()
        connection.pause_writing()
        connection.data_received(wrap(b"MSH|a\r"))
        await asyncio.sleep(0)
        connection.resume_writing()
        await asyncio.sleep(0.01)
        assert owner.transport.reading
        assert owner.answers() == [b"MSH|a\r"]

    run(job())


def test_the_last_answer_is_written_before_the_peers_memory_share_is_judged_again() -> None:
    """The judgement may let the connection go on: a stopping one without messages then closes."""

    async def job() -> None:
        owner = FakeOwner(max_held_bytes=8)
        connection = owner.connect()
        connection.data_received(wrap(b"MSH|a\r"))
        assert connection.share.is_full
        connection.stop()
        owner.fake.gate.set()
        await asyncio.sleep(0.01)
        assert owner.answers() == [b"MSH|a\r"]
        assert owner.transport.has_ended

    run(job())


@pytest.mark.parametrize("count", [1, 8_000], ids=["one message", "a long read"])
def test_a_connection_whose_messages_wait_for_its_share_is_not_closed_as_idle(count: int) -> None:
    async def job() -> None:
        owner = FakeOwner(idle_seconds=1)
        connection = owner.connect()
        connection.share.debt_seconds = 1.0
        connection.data_received(wrap(b"MSH|a\r") * count)
        connection.check(time.monotonic() + 10)
        assert not owner.transport.has_ended
        owner.fake.gate.set()
        connection.share.debt_seconds = 0.0
        connection.share_changed()
        async with asyncio.timeout(5):
            while owner.transport.written.count(b"MSH") < count:
                await asyncio.sleep(0.01)
        connection.check(time.monotonic() + 10)
        assert owner.transport.has_ended

    run(job())


def test_silence_behind_0x1c_proves_nothing_while_the_receiver_itself_does_not_read() -> None:
    async def job() -> None:
        owner = FakeOwner(max_in_flight=1)
        connection = owner.connect()
        text = b"MSH|c\rNTE|1||one\x1c"
        connection.data_received(wrap(b"MSH|a\r") + wrap(b"MSH|b\r") + b"\x0b" + text)
        assert not owner.transport.reading
        await asyncio.sleep(0.15)
        owner.fake.gate.set()
        await asyncio.sleep(0.01)
        assert owner.transport.reading
        connection.data_received(b"two\r\x1c\r")
        await asyncio.sleep(0.01)
        assert owner.answers() == [b"MSH|a\r", b"MSH|b\r", text + b"two\r"]

    run(job())


def test_the_time_the_receiver_does_not_read_is_not_the_sender_s() -> None:
    async def job() -> None:
        owner = FakeOwner(max_in_flight=1, frame_seconds=0.1)
        connection = owner.connect()
        connection.data_received(wrap(b"MSH|a\r") + wrap(b"MSH|b\r") + b"\x0bMSH|c")
        await asyncio.sleep(0.15)
        connection.check(time.monotonic())
        assert not owner.transport.has_ended
        owner.fake.gate.set()
        await asyncio.sleep(0.01)
        connection.check(time.monotonic())
        assert not owner.transport.has_ended
        connection.check(time.monotonic() + 1)
        await asyncio.sleep(0.01)
        assert owner.answers()[-1] == b"MSH|c"
        assert owner.transport.has_ended

    run(job())


def test_a_frame_that_never_ends_is_cut_off_however_often_the_receiver_pauses() -> None:
    async def job() -> None:
        owner = FakeOwner(frame_seconds=0.1)
        owner.fake.gate.set()
        connection = owner.connect()
        connection.data_received(b"\x0bMSH|c")
        for _ in range(6):
            await asyncio.sleep(0.03)
            for debt in (1.0, 0.0):
                connection.share.debt_seconds = debt
                connection.share_changed()
        connection.check(time.monotonic())
        await asyncio.sleep(0.01)
        assert owner.answers() == [b"MSH|c"]
        assert owner.transport.has_ended

    run(job())


def test_a_stop_answers_every_message_that_was_received_in_one_long_read() -> None:
    async def job() -> None:
        owner = FakeOwner(max_in_flight=1000)
        owner.fake.gate.set()
        connection = owner.connect()
        connection.data_received(wrap(b"MSH|a\r") * 450)
        connection.stop()
        await asyncio.sleep(0.1)
        assert owner.transport.written.count(b"\x1c\r") == 450
        assert owner.transport.has_ended

    run(job())


def test_a_sender_whose_peer_used_too_much_is_read_on_in_the_middle_of_a_long_message() -> None:
    async def job() -> None:
        owner = FakeOwner()
        owner.fake.gate.set()
        connection = owner.connect()
        message = wrap(b"MSH|" + b"x" * 300_000 + b"\r")
        connection.share.debt_seconds = 1.0
        connection.data_received(message[:200_000])
        connection.share_changed()
        assert not owner.transport.reading
        connection.share.debt_seconds = 0.0
        connection.share_changed()
        await asyncio.sleep(0.1)
        assert owner.transport.reading
        connection.data_received(message[200_000:])
        await asyncio.sleep(0.1)
        assert len(owner.answers()) == 1

    run(job())


def test_a_connection_that_its_sender_has_reset_ends_on_asyncios_own_loop() -> None:
    """uvloop reports the reset later; asyncio's shutdown() raises ENOTCONN."""

    async def job() -> None:
        owner = FakeOwner()
        connection, sender = await connect_socket(owner)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sender.close()
        connection.stop()
        await asyncio.wait_for(owner.lost.wait(), 5)

    run(job())


@pytest.mark.parametrize(
    "close",
    [
        lambda connection: connection.check(time.monotonic() + SETTINGS.idle_seconds + 1),
        MllpConnection.give_up_place,
        MllpConnection.stop,
    ],
    ids=["idle", "place given up", "stopped"],
)
def test_a_connection_whose_sender_never_reads_its_last_answers_ends(
    close: Callable[[MllpConnection], None],
) -> None:
    """The answer fits the write buffer, so that the transport pauses no writing."""

    async def job() -> None:
        owner = FakeOwner()
        owner.fake.gate.set()
        connection, sender = await connect_socket(owner)
        sender.sendall(wrap(b"MSH|" + b"a" * 30_000 + b"\r"))
        async with asyncio.timeout(5):
            while not owner.fake.answered:
                await asyncio.sleep(0.01)
        close(connection)
        await asyncio.sleep(1.2)
        assert not owner.lost.is_set()
        assert connection.idle_since is None
        connection.check(time.monotonic() + SETTINGS.frame_seconds + 1)
        await asyncio.wait_for(owner.lost.wait(), 5)
        sender.close()

    run(job())


def test_a_connection_that_the_receiver_does_not_read_is_not_closed_as_idle() -> None:
    async def job() -> None:
        owner = FakeOwner(idle_seconds=1)
        connection = owner.connect()
        connection.share.is_full = True
        connection.share_changed()
        assert not owner.transport.reading
        connection.check(time.monotonic() + 10)
        assert not owner.transport.has_ended

    run(job())
