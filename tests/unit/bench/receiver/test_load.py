"""The load generator in C, against a receiver of the test."""

import shutil
import socketserver
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bench.receiver import generator, messages
from bench.receiver.processes import cores
from hl7.header import find_header
from hl7.identity import event_id, patient_identifier
from hl7.mllp import Decoder, wrap
from tests.support.receiver import Answer, accept, acknowledge


class ThreadedReceiver(socketserver.ThreadingTCPServer):
    """A receiver of many connections whose answers a test decides; None closes the connection."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), StubConnection)
        self.answer: Answer = accept
        self.received: list[bytes] = []
        self.connections = 0
        self.port: int = self.server_address[1]
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


class StubConnection(socketserver.BaseRequestHandler):
    """One connection; a client that goes away in the middle is an ordinary end."""

    server: ThreadedReceiver

    def handle(self) -> None:
        self.server.connections += 1
        decoder = Decoder(1 << 20)
        with suppress(OSError):
            while data := self.request.recv(65536):
                for frame in decoder.feed(data):
                    self.server.received.append(frame.message)
                    answer = self.server.answer(frame.message)
                    if answer is None:
                        return
                    self.request.sendall(wrap(answer))


@pytest.fixture
def receiver() -> Iterator[ThreadedReceiver]:
    """A receiver that accepts everything."""
    receiver = ThreadedReceiver()
    yield receiver
    receiver.shutdown()
    receiver.server_close()


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The generator's program."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here")
    return generator.build(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The smallest message."""
    return messages.write_all(tmp_path)["0.5 kB"]


def load(program: Path, receiver: ThreadedReceiver, file: Path, mode: str = "") -> generator.Load:
    return generator.run(
        program,
        cores()[1],
        receiver.port,
        connections=3,
        seconds=0.5,
        file=file,
        modes=[mode] if mode else [],
    )


def test_every_message_is_another_event_of_some_patient(
    program: Path, receiver: ThreadedReceiver, file: Path
) -> None:
    seen = load(program, receiver, file)
    headers = [find_header(message) for message in receiver.received]
    events = {event_id(header, "northtown") for header in headers if header}
    assert seen.answered > 10
    assert seen.answered <= len(events) == len(receiver.received)
    assert all(header and patient_identifier(header) for header in headers)
    assert 0 < seen.p50_ms <= seen.p99_ms <= seen.max_ms


def test_a_negative_answer_is_not_counted_as_a_stored_message(
    program: Path, receiver: ThreadedReceiver, file: Path
) -> None:
    receiver.answer = lambda message: acknowledge(message, b"AR")
    seen = load(program, receiver, file)
    assert seen.answered == 0
    assert seen.refused > 10


def test_a_connection_that_the_server_closes_is_a_reset_and_its_wait_is_seen(
    program: Path, receiver: ThreadedReceiver, file: Path
) -> None:
    receiver.answer = lambda message: None
    seen = load(program, receiver, file)
    assert seen.answered == 0
    assert seen.resets > 3
    assert seen.p50_ms > 300


def test_a_client_of_a_server_of_one_message_connects_anew_for_each(
    program: Path, receiver: ThreadedReceiver, file: Path
) -> None:
    seen = load(program, receiver, file, mode="close")
    assert seen.answered > 10
    assert seen.resets == 0
    assert receiver.connections >= seen.answered


@pytest.mark.parametrize(("name", "size"), messages.SIZES.items())
def test_the_messages_have_their_sizes(name: str, size: int) -> None:
    assert abs(len(messages.message(size)) - size) < size * 0.1
