"""An error of the program itself closes one connection or restarts one task, and never leaves a sender waiting."""

from collections.abc import Callable
from typing import Any

import pytest

from receiver import background
from receiver.transport.connection import MllpConnection
from receiver.transport.server import MllpServer
from tests.functional.receiver.world import ReceiverWorld, adt, eventually


def once(real: Callable[..., Any], *, when: Callable[..., bool] = lambda *_: True) -> Any:
    """The function, which fails the first time that `when` says so."""
    left = [1]

    def act(*arguments: Any, **named: Any) -> Any:
        if left and when(*arguments):
            left.clear()
            raise ValueError("a value of a patient")
        return real(*arguments, **named)

    return act


def failures(world: ReceiverWorld) -> list[str]:
    """The tasks that failed, as the log names them; no line has a value of the error."""
    lines = world.logged()
    assert "a value of a patient" not in str(lines)
    assert all("ValueError" in line["error"] for line in lines if "task" in line)
    return [line["task"] for line in lines if "task" in line]


@pytest.mark.parametrize("part", ["answer", "settle"])
def test_a_message_whose_task_fails_ends_the_connection_and_can_be_sent_again(
    world: ReceiverWorld, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """Without it, all later answers of the connection wait behind the one that never comes."""
    intake = world.server.intake
    if part == "answer":
        monkeypatch.setattr(intake, "answer", once(intake.answer))
    else:
        monkeypatch.setattr(MllpConnection, "_settle", once(MllpConnection._settle))
    with world.connect() as sender:
        sender.send(adt("A"), adt("B"))
        assert sender.is_closed()
    with world.connect() as sender:
        assert [sender.ask(adt(one)) for one in ("A", "B")] == ["AA A", "AA B"]
    assert failures(world) == ["answering"]
    assert world.counted("TaskFailures") == 1
    assert eventually(lambda: not world.server.open_connections)
    shares = world.server.shares
    assert (shares.places, shares.held_bytes) == (0, 0)


def test_a_connection_whose_timeouts_fail_is_closed_and_the_others_keep_theirs(
    start: Callable[..., ReceiverWorld], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = start(idle_seconds=0.4)
    real = MllpConnection.check
    broken: list[MllpConnection] = []

    def check(connection: MllpConnection, now: float) -> None:
        broken[:] = broken or [connection]
        if connection is broken[0]:
            raise ValueError("a value of a patient")
        real(connection, now)

    monkeypatch.setattr(MllpConnection, "check", check)
    with world.connect() as first, world.connect() as second:
        assert first.is_closed()
        assert second.is_closed()
    assert failures(world) == ["timeouts"]


@pytest.mark.parametrize(
    ("owner", "name", "task", "rejected"),
    [(MllpServer, "_no_room", "admitting", 1), (MllpConnection, "_find_senders", "opening", 0)],
)
def test_a_connection_that_fails_before_its_first_message_is_closed_and_leaves_its_place(
    world: ReceiverWorld,
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
    task: str,
    rejected: int,
) -> None:
    monkeypatch.setattr(owner, name, once(getattr(owner, name)))
    with world.connect() as sender:
        assert sender.is_closed()
    with world.connect() as sender:
        assert sender.ask(adt()) == "AA NG-1"
        assert world.server.shares.places == 1
    assert failures(world) == [task]
    assert world.counted("ConnectionsRejected") == rejected


def test_a_frame_whose_end_timer_fails_closes_its_connection(
    world: ReceiverWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The timer ends a frame whose last byte is 0x1C, without a 0x0D before or after it."""
    real = MllpConnection._end_block_was_last
    monkeypatch.setattr(MllpConnection, "_end_block_was_last", once(real))
    with world.connect() as sender:
        sender.raw(b"\x0b" + adt().rstrip(b"\r") + b"\x1c")
        assert sender.is_closed()
    assert failures(world) == ["decoding"]
    assert world.counted("TaskFailures") == 1


def test_a_connection_that_fails_when_its_share_changes_is_the_only_one_that_is_closed(
    world: ReceiverWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One connection's bytes or answers change the share of all connections of its peer."""
    with world.connect() as first, world.connect() as second:
        for sender in (first, second):
            assert sender.ask(adt()) == "AA NG-1"
        members = tuple(world.server.shares.of("127.0.0.1").members)

        async def change() -> None:
            for member in members:
                member.share_changed()

        with monkeypatch.context() as patched:
            patched.setattr(MllpConnection, "_go_on", once(MllpConnection._go_on))
            world.run(change())
        assert eventually(lambda: world.server.open_connections == 1)
        assert len(members) == 2
    assert failures(world) == ["sharing"]


def test_a_connection_whose_stop_fails_does_not_keep_the_others_from_theirs(
    world: ReceiverWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MllpConnection, "stop", once(MllpConnection.stop))
    with world.connect() as first, world.connect() as second:
        for sender in (first, second):
            assert sender.ask(adt()) == "AA NG-1"
        world.run(world.server.stop())
        assert first.is_closed()
        assert second.is_closed()
    assert failures(world) == ["stopping"]


@pytest.mark.parametrize(
    ("name", "owner"),
    [("_accept", MllpServer), ("_watch_connections", MllpServer)],
)
def test_a_task_of_the_listener_that_fails_is_counted_and_begins_again(
    start: Callable[..., ReceiverWorld], monkeypatch: pytest.MonkeyPatch, name: str, owner: Any
) -> None:
    monkeypatch.setattr(background, "_RESTART_SECONDS", 0.01)
    monkeypatch.setattr(owner, name, once(getattr(owner, name)))
    world = start(idle_seconds=0.4)
    with world.connect() as sender:
        assert sender.ask(adt()) == "AA NG-1"
        assert sender.is_closed(), "the idle timeout goes on"
    assert len(failures(world)) == 1
    assert world.counted("TaskFailures") == 1


def test_a_connection_with_a_long_read_that_fails_later_is_closed(
    world: ReceiverWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of a long read is decoded in callbacks, whose errors the transport does not see."""
    real = MllpConnection._next_turn
    turns = [0]

    def turn(connection: MllpConnection) -> None:
        turns[0] += 1
        if turns[0] == 2:
            raise ValueError("a value of a patient")
        real(connection)

    monkeypatch.setattr(MllpConnection, "_next_turn", turn)
    with world.connect() as sender:
        sender.raw(b"\x0b" + adt(more=b"NTE|1||" + b"x" * 300_000))
        assert sender.is_closed()
    assert failures(world) == ["decoding"]
