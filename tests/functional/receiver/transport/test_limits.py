"""Each limit: an answer where one is possible, then the end; and the others are not disturbed."""

import asyncio
import socket
import time
from collections.abc import Callable

import pytest

from hl7.er7 import MAX_SEGMENTS
from hl7.mllp import wrap
from receiver.telemetry.hourly_cap import HOUR_SECONDS
from receiver.transport import server
from tests.functional.receiver.certificates import CertificateFolder
from tests.functional.receiver.world import ReceiverWorld, adt, eventually


def test_an_oversize_message_is_rejected_kept_in_part_and_the_next_one_stored(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start(max_message_bytes=1000)
    message = adt(more=b"NTE|1||" + b"x" * 200_000 + b"\r")
    with world.connect() as sender:
        sender.send(message, adt("NG-2"))
        assert [sender.answer(), sender.answer()] == ["AR NG-1", "AA NG-2"]
    assert list(world.objects("rejected/").values()) == [message[:1000]]


def test_a_frame_that_does_not_end_in_time_is_rejected_and_the_connection_closed(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start(frame_seconds=0.2)
    with world.connect() as slow, world.connect() as other:
        slow.raw(b"\x0b" + adt("SLOW")[:-10])
        assert slow.answer() == "AR SLOW"
        assert slow.is_closed()
        assert other.ask(adt()) == "AA NG-1"
    assert "frame timeout: no end block" in {line.get("why") for line in world.logged()}


def test_a_sender_that_goes_on_sending_a_rejected_frame_reads_the_answer_before_a_reset(
    start: Callable[..., ReceiverWorld],
) -> None:
    """A reset makes some systems drop the answer that they have received (RFC 9112, section 9.6)."""
    world = start(frame_seconds=0.2)
    with world.connect() as sender:
        sender.raw(b"\x0b" + adt("SLOW")[:-10])
        for _ in range(12):
            time.sleep(0.05)
            sender.raw(b"x" * 1000)
        assert sender.answer() == "AR SLOW"
        assert sender.is_closed()
    assert eventually(lambda: world.server.open_connections == 0)


def test_an_admission_that_failed_does_not_disturb_the_stop(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start()

    async def fail() -> None:
        raise ValueError

    async def stop() -> None:
        world.server._admitting.add(asyncio.create_task(fail()))
        await world.server.stop()

    with world.connect() as sender:
        assert sender.ask(adt()) == "AA NG-1"
        world.run(stop())
        assert sender.is_closed()


def test_refused_connections_are_logged_again_in_the_next_hour(
    start: Callable[..., ReceiverWorld], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where no connection is ever admitted, so that none is closed."""
    monkeypatch.setattr(server, "_MAX_LINES_PER_HOUR", 1)
    world = start(max_connections_per_peer=0, frame_seconds=0.2)

    def refused() -> int:
        with world.connect() as sender:
            assert sender.is_closed()
        return sum(line.get("message") == "connection rejected" for line in world.logged())

    assert [refused(), refused()] == [1, 1]
    world.server._logged._began -= HOUR_SECONDS
    assert eventually(lambda: refused() == 2)


@pytest.mark.parametrize("tls", [False, True])
def test_a_turn_of_the_loop_begins_one_handshake_at_most(
    start: Callable[..., ReceiverWorld],
    authority: CertificateFolder,
    monkeypatch: pytest.MonkeyPatch,
    tls: bool,
) -> None:
    """Sixty at once took 0.1 s, for each of the turns that storing another sender's message takes."""
    world = start(tls=authority.server() if tls else None)
    turn, turns = 0, []

    def note(accepted: socket.socket, _: str) -> None:
        turns.append(turn)
        accepted.close()

    async def accept_twenty() -> None:
        nonlocal turn
        monkeypatch.setattr(world.server, "_begin_admitting", note)
        for _ in range(20):
            socket.create_connection(("127.0.0.1", world.mllp_port)).close()
        while len(turns) < 20:
            turn += 1
            await asyncio.sleep(0)

    world.run(accept_twenty())
    assert (len(set(turns)) == 20) is tls


def test_closed_connections_that_stored_nothing_are_logged_up_to_the_limit(
    start: Callable[..., ReceiverWorld], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A blank, an empty frame or a rejected message is as cheap to send as a connection."""
    monkeypatch.setattr(server, "_MAX_LINES_PER_HOUR", 1)
    world = start()

    def closed(opened: int) -> int:
        assert eventually(lambda: world.counted("ConnectionsOpened") == opened)
        assert eventually(lambda: world.server.open_connections == 0)
        return sum(line.get("message") == "connection closed" for line in world.logged())

    for opened, sent in enumerate((b" ", b"\x0b\x1c\r", b"\x0bMSH|\x1c\r"), start=1):
        with world.connect() as sender:
            sender.raw(sent)
        assert closed(opened) == 1
    for number in (2, 3):
        with world.connect() as sender:
            assert sender.ask(adt()) == "AA NG-1"
        assert closed(number + 2) == number


def test_a_connection_that_is_silent_for_too_long_is_closed(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start(idle_seconds=0.2)
    with world.connect() as sender:
        assert sender.ask(adt()) == "AA NG-1"
        assert sender.is_closed()


def test_a_connection_is_not_idle_while_its_message_is_being_stored(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start(idle_seconds=0.1)
    with world.connect() as sender:
        with world.faults.hold("PutObject"):
            sender.send(adt())
            assert sender.is_silent(0.4)
        assert sender.answer() == "AA NG-1"


def test_no_more_connections_than_the_limit_and_a_free_place_is_used_again(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start(max_connections=2)
    with world.connect() as one, world.connect() as two:
        assert one.ask(adt("A")) == "AA A"
        assert two.ask(adt("B")) == "AA B"
        with world.connect() as three:
            assert three.is_closed()
        assert one.ask(adt("C")) == "AA C"
    assert eventually(lambda: world.server.open_connections == 0)
    with world.connect() as four:
        assert four.ask(adt("D")) == "AA D"
    assert world.counted("ConnectionsRejected") == 1


def test_a_sender_that_waits_for_an_answer_in_a_flood_still_gets_all(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start(max_in_flight=1)
    stream = b"".join(wrap(adt(f"F-{n}", patient=str(n))) for n in range(100))
    with world.connect() as sender:
        sender.raw(stream)
        assert [sender.answer() for _ in range(100)] == [f"AA F-{n}" for n in range(100)]


def test_no_more_connections_of_one_peer_than_its_limit(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start(max_connections_per_peer=1)
    with world.connect() as one:
        assert one.ask(adt("A")) == "AA A"
        with world.connect() as two:
            assert two.is_closed()
    assert eventually(lambda: world.server.open_connections == 0)
    with world.connect() as three:
        assert three.ask(adt("B")) == "AA B"


def test_a_message_of_too_many_segments_is_rejected_and_kept(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start()
    long = adt(more=b"NTE|1||x\r" * MAX_SEGMENTS)
    with world.connect() as sender:
        assert sender.ask(long) == "AR NG-1"
        assert sender.ask(adt("NG-2", more=b"NTE|1||x\r" * (MAX_SEGMENTS - 9))) == "AA NG-2"
    assert list(world.objects("rejected/").values()) == [long]
    assert world.counted("Rejected", reason="too_many_segments") == 1
