"""One host tries to use up memory, connections, processor or storage of the receiver."""

import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from hl7.header import find_header
from hl7.mllp import Decoder
from receiver.transport.shares import PERIOD_SECONDS, PeerShare, Shares
from tests.functional.receiver.certificates import CertificateFolder
from tests.functional.receiver.world import Peer, ReceiverWorld, adt, eventually

MEGABYTE = 1 << 20
UNITS = {
    "start blocks": b"\x0b",
    "end blocks": b"\x1c",
    "end blocks in a text": b"x\x1c",
    "start blocks in a text": b"x\x0b",
    "interrupted frames": b"\x0bMSH",
    "empty frames": b"\x0b\x1c\r",
    "end and start blocks": b"\x1c\x0b",
    "NULs": b"\0",
    "line ends": b"\r",
    "pieces of MSH": b"MS",
    "end blocks before pieces of MSH": b"\x1cM",
}


def seconds_to_decode(data: bytes) -> float:
    began = time.process_time()
    decoder = Decoder(2 * MEGABYTE, strict_start=True)
    for at in range(0, len(data), 65_536):
        decoder.feed(data[at : at + 65_536])
        while decoder.has_more:
            decoder.feed(b"")
    return time.process_time() - began


@pytest.mark.cpu_bound
@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("lead", [b"\x0b", b"\x0bMSH|\x1c\r", b"\x0bMSH|\x1c\rjunk"])
def test_a_stream_of_block_characters_costs_no_more_than_its_bytes(name: str, lead: bytes) -> None:
    """A megabyte took a second or more when each block character was looked at by itself."""
    data = (lead + UNITS[name] * MEGABYTE)[:MEGABYTE]
    frames = min(MEGABYTE // len(UNITS[name]), data.count(b"\x0b"))
    made_of_frames = name in ("interrupted frames", "empty frames", "end and start blocks")
    limit = 0.25 + (frames * 12e-6 if made_of_frames else 0)
    assert any(seconds_to_decode(data) < limit for _ in range(2))


def test_one_read_yields_a_bounded_number_of_frames() -> None:
    """So that other connections have their turn between."""
    decoder = Decoder(MEGABYTE)
    assert len(decoder.feed(b"\x0b\x1c\r" * 100_000)) <= 200
    assert decoder.has_more


HEADER = b"MSH|^~\\&|ADTSYS|NORTHGEN|||||ADT^A01|1|P|2.5.1"
SLOW_HEADERS = {
    "lines after MSH that continue it": HEADER + b"\rx" * 500_000,
    "blank lines after MSH": HEADER + b"\r" * MEGABYTE,
    "a version of digits": HEADER + b"9" * MEGABYTE,
    "fields": HEADER + b"|" * MEGABYTE,
    "repetitions of the character set": HEADER + b"||||||" + b"~" * MEGABYTE,
    "escape characters": HEADER + b"\x1b" * MEGABYTE,
    "blanks before MSH": b" " * MEGABYTE + HEADER,
    "identifiers that are not ASCII": HEADER + b"\rPID|||" + b"\xe4~" * 50 + b"\xe4" * MEGABYTE,
}


@pytest.mark.cpu_bound
@pytest.mark.parametrize("name", SLOW_HEADERS)
def test_a_header_that_is_made_to_be_slow_is_answered_in_a_fraction_of_a_second(
    name: str, world: ReceiverWorld
) -> None:
    with world.connect() as attacker:
        attacker.send(SLOW_HEADERS[name])
        began = time.process_time()
        attacker.acknowledgement()
        assert time.process_time() - began < 1.0


def test_an_answer_does_not_echo_a_header_of_a_megabyte(world: ReceiverWorld) -> None:
    with world.connect() as attacker:
        attacker.send(HEADER.replace(b"|1|", b"|" + b"1" * MEGABYTE + b"|"))
        answer = attacker.acknowledgement()
    assert len(answer) < 10_000
    assert b"MSA|AE|" in answer


def test_a_version_with_thousands_of_digits_gets_an_answer(world: ReceiverWorld) -> None:
    with world.connect() as attacker:
        attacker.send(adt("1").replace(b"|2.5.1", b"|" + b"2" * 6000 + b"." + b"5" * 5000))
        assert attacker.answer().startswith("A")


@pytest.mark.slow
def test_unfinished_frames_over_the_budget_are_rejected_and_the_others_answered(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start(
        max_held_bytes=4 * MEGABYTE,
        max_message_bytes=MEGABYTE,
        frame_seconds=2,
        mllp_host="0.0.0.0",
    )
    with ExitStack() as opened:
        attackers = [opened.enter_context(world.connect()) for _ in range(20)]
        for attacker in attackers[:10]:
            _flood(attacker, b"\x0bMSH|" + b"x" * (MEGABYTE - 10))
            assert world.server.shares.held_bytes <= 4 * MEGABYTE
        honest = opened.enter_context(world.connect("127.0.0.2"))
        assert honest.ask(adt("1", more=b"NTE|1||" + b"x" * 100_000)) == "AA 1"
        assert eventually(lambda: world.counted("Rejected", reason="cut_off") >= 10, seconds=10)
    assert eventually(lambda: world.server.shares.held_bytes == 0, seconds=10)


def test_one_frame_over_the_whole_budget_is_answered_with_a_named_reason(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start(max_held_bytes=40_000)
    with world.connect() as attacker:
        _flood(attacker, b"\x0b" + adt("1") + b"x" * MEGABYTE)
        assert eventually(lambda: world.counted("Rejected", reason="no_room") == 1)
    assert eventually(lambda: world.server.open_connections == 0)
    with world.connect() as honest:
        assert honest.ask(adt("2")) == "AA 2"


def test_a_paused_tls_connection_buffers_little_beside_the_memory_budget(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    """asyncio stops to read a TLS connection at 256 KiB: more for all than the receiver's task has."""
    world = start(tls=authority.server(), max_in_flight=1)
    with world.connect(tls=authority.client("adt")) as attacker, world.faults.hold("PutObject"):
        attacker.send(adt("1"), adt("2"))
        attacker.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            attacker.raw(b"\x0b" + b"x" * 8 * MEGABYTE)
        (connection,) = world.server._connections
        assert connection._transport is not None
        assert connection._transport.get_read_buffer_size() < 256 * 1024  # type: ignore[attr-defined]
    assert eventually(lambda: world.server.open_connections == 0)


def _flood(attacker: Peer, data: bytes) -> None:
    """Sends what the receiver reads, and leaves the rest."""
    attacker.socket.setblocking(False)
    sent = 0
    deadline = time.monotonic() + 0.3
    while sent < len(data) and time.monotonic() < deadline:
        try:
            sent += attacker.socket.send(data[sent : sent + 65_536])
        except BlockingIOError:
            time.sleep(0.005)
        except ConnectionError:
            return


def test_a_peer_with_all_connections_gives_one_to_a_peer_that_has_none(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start(max_connections=5, mllp_host="0.0.0.0")
    with ExitStack() as opened:
        held = [opened.enter_context(world.connect()) for _ in range(5)]
        assert eventually(lambda: world.server.open_connections == 5)
        honest = opened.enter_context(world.connect("127.0.0.2"))
        assert honest.ask(adt("1")) == "AA 1"
        assert sum(_is_gone(one) for one in held) == 1


def test_unfinished_handshakes_of_many_peers_give_a_place_to_a_peer_that_has_none(
    start: Callable[..., ReceiverWorld], authority: CertificateFolder
) -> None:
    world = start(
        tls=authority.server(),
        max_connections=8,
        max_connections_per_peer=2,
        tls_handshake_seconds=20,
        mllp_host="0.0.0.0",
    )
    with ExitStack() as opened:
        silent = [opened.enter_context(world.connect(f"127.0.0.{10 + n // 2}")) for n in range(8)]
        assert eventually(lambda: world.server.shares.places == 8)
        honest = opened.enter_context(world.connect("127.0.0.2", tls=authority.client("adt")))
        assert honest.ask(adt("1")) == "AA 1"
        assert sum(_is_gone(one) for one in silent) == 1
        (why,) = [line["why"] for line in world.logged() if "why" in line]
        assert why == "place given to another peer"
    assert eventually(lambda: world.server.shares.places == 0)


def _is_gone(peer: Peer) -> bool:
    peer.socket.setblocking(False)
    try:
        return peer.socket.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_rejected_messages_are_kept_up_to_the_hours_limit_and_counted_beyond(
    start: Callable[..., ReceiverWorld],
) -> None:
    world = start(rejected_kept=5)
    with world.connect() as attacker:
        for number in range(30):
            assert attacker.ask(adt(str(number), kind="ORU^R01")) == f"AR {number}"
    assert len(world.objects("rejected/")) == 5
    assert world.counted("RejectedNotKept") == 25
    assert world.counted("Rejected", reason="unknown_type") == 30


def test_rejected_bytes_have_a_limit_of_their_own(start: Callable[..., ReceiverWorld]) -> None:
    world = start(rejected_kept_bytes=3000)
    with world.connect() as attacker:
        for number in range(5):
            attacker.ask(adt(str(number), kind="ORU^R01", more=b"NTE|1||" + b"x" * 1000))
    assert sum(map(len, world.objects("rejected/").values())) <= 3000
    assert world.counted("RejectedNotKept") == 3


def test_a_balancer_connection_without_its_header_is_closed_in_time(
    start: Callable[..., ReceiverWorld],
) -> None:
    from ipaddress import ip_network

    world = start(proxy_networks=(ip_network("127.0.0.0/8"),), tls_handshake_seconds=0.1)
    with ExitStack() as opened:
        silent = [opened.enter_context(world.connect()) for _ in range(3)]
        assert all(one.is_closed() for one in silent)
    assert eventually(lambda: world.counted("ConnectionsRejected") == 3)


class Connection:
    """A connection that notes when its peer's share changes."""

    unfinished_bytes = 0
    idle_since = None

    def __init__(self, share: PeerShare) -> None:
        share.members.add(self)
        self.changes = 0

    def share_changed(self) -> None:
        self.changes += 1

    def give_up_frame(self) -> None:
        """Not used here."""

    def give_up_place(self) -> None:
        """Not used here."""


@pytest.fixture
def shares() -> Shares:
    return Shares(max_held_bytes=1000, max_in_flight=8)


def test_a_peer_that_takes_all_of_the_processor_waits_for_the_others(shares: Shares) -> None:
    hostile, honest = shares.of("10.0.0.1"), shares.of("10.0.0.2")
    connection = Connection(hostile)
    now = time.monotonic()
    for _ in range(3):
        hostile.busy_seconds, honest.busy_seconds = PERIOD_SECONDS, 0.001
        shares._busy.update((hostile, honest))
        now += PERIOD_SECONDS
        shares.end_period(now)
    assert hostile.is_paused
    assert not honest.is_paused
    assert connection.changes == 1


def test_a_peer_that_is_alone_may_use_all_of_the_processor(shares: Shares) -> None:
    alone = shares.of("10.0.0.1")
    alone.busy_seconds = PERIOD_SECONDS
    shares._busy.add(alone)
    shares.end_period(time.monotonic() + PERIOD_SECONDS)
    assert not alone.is_paused


def test_a_peer_with_every_store_in_flight_leaves_half_to_another(shares: Shares) -> None:
    hostile, honest = shares.of("10.0.0.1"), shares.of("10.0.0.2")
    member = Connection(hostile)
    for _ in range(8):
        assert shares.may_start(hostile, member)
        shares.started(hostile)
    shares.started(honest)
    assert not shares.may_start(hostile, member)
    assert shares.may_start(honest, Connection(honest))


@pytest.mark.parametrize("name", SLOW_HEADERS)
def test_a_message_that_is_cut_out_is_cut_the_same_way_again(name: str) -> None:
    header = find_header(SLOW_HEADERS[name])
    assert header is not None
    again = find_header(header.message)
    assert again is not None
    assert again.message == header.message
