"""`ens send`: every message answered for, over a real socket."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.cli import main
from tests.support.messages import header_field
from tests.support.receiver import Answer, StubReceiver, accept, acknowledge

Send = Callable[..., Result]


@pytest.fixture
def send(receiver: StubReceiver) -> Send:
    def run(*arguments: str | Path) -> Result:
        at = ["--host", "127.0.0.1", "--port", str(receiver.port), "--timeout", "0.5"]
        return CliRunner().invoke(main, ["send", *at, *map(str, arguments)])

    return run


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def write(*control_ids: str, name: str = "adt.hl7", tail: str = "") -> Path:
        lines = [
            f"MSH|^~\\&|A|B|C|D|20261123||ADT^A01|{i}|P|2.5{tail}\nPID|1||H1\n" for i in control_ids
        ]
        path = tmp_path / name
        path.write_text("".join(lines))
        return path

    return write


def test_every_message_of_every_file_is_sent_in_order_on_one_connection(
    receiver: StubReceiver, send: Send, file: Callable[..., Path]
) -> None:
    result = send(file("1", "2"), file("3", name="other.hl7"))
    assert result.exit_code == 0
    assert [header_field(message, 10) for message in receiver.received] == [b"1", b"2", b"3"]
    assert receiver.received[0].endswith(b"2.5\rPID|1||H1\r")
    assert receiver.connections == 1
    assert result.output.splitlines() == [
        "AA   adt.hl7 #1",
        "AA   adt.hl7 #2",
        "AA   other.hl7 #1",
        "3 messages sent, 3 accepted.",
    ]


def test_a_refusal_shows_its_error_and_fails_the_command_after_all_were_sent(
    receiver: StubReceiver, send: Send, file: Callable[..., Path]
) -> None:
    receiver.answer = lambda m: (
        acknowledge(m, b"AE", b"\rERR||PID^1^3|101|E||||no identifier")
        if header_field(m, 10) == b"1"
        else accept(m)
    )
    result = send(file("1", "2"))
    assert result.exit_code == 1
    assert "AE   adt.hl7 #1  no identifier (101, PID-1-3)" in result.output
    assert "2 messages sent, 1 accepted." in result.output


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda _: None, "connection lost"),
        (lambda _: b"", "no acknowledgement within 0.5 s"),
        (lambda _: b"nonsense", "not an HL7 acknowledgement"),
        (lambda _: acknowledge(b"", b"AA"), "for another message"),
    ],
)
def test_no_answer_or_a_wrong_one_is_no_acceptance(
    receiver: StubReceiver, send: Send, file: Callable[..., Path], answer: Answer, said: str
) -> None:
    receiver.answer = answer
    result = send(file("1"))
    assert (result.exit_code, said in result.output) == (1, True)


def test_after_a_broken_connection_the_next_message_gets_a_new_one(
    receiver: StubReceiver, send: Send, file: Callable[..., Path]
) -> None:
    receiver.answer = lambda m: None if header_field(m, 10) == b"1" else accept(m)
    result = send(file("1", "2"))
    assert "AA   adt.hl7 #2" in result.output
    assert receiver.connections == 2


def test_a_message_that_asks_for_silence_is_not_waited_for(
    receiver: StubReceiver, send: Send, file: Callable[..., Path]
) -> None:
    receiver.answer = lambda _: b""
    result = send(file("1", tail="|||NE|NE"))
    assert (result.exit_code, "as MSH-15 and MSH-16 ask" in result.output) == (0, True)


def test_control_ids_are_shown_only_when_asked_for(send: Send, file: Callable[..., Path]) -> None:
    path = file("H00412-BRANDT")
    assert "BRANDT" not in send(path).output
    assert "BRANDT" in send("--control-ids", path).output


def test_nobody_listening_is_one_sentence(
    receiver: StubReceiver, send: Send, file: Callable[..., Path]
) -> None:
    receiver.close()
    result = send(file("1"))
    assert result.exit_code == 1
    assert f"Cannot connect to a receiver at 127.0.0.1:{receiver.port}" in result.output


def test_a_file_without_a_message_is_named_and_the_others_are_sent(
    receiver: StubReceiver, send: Send, file: Callable[..., Path], tmp_path: Path
) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear colleague,\n")
    result = send(letter, file("1"))
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "--   letter.txt  not sent: no line begins with MSH",
        "AA   adt.hl7 #1",
        "1 message sent, 1 accepted.",
    ]


def test_raw_bytes_go_out_as_they_are(receiver: StubReceiver, send: Send, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_bytes(b"Dear colleague,\r\n")
    receiver.answer = lambda m: acknowledge(m, b"AE", b"|no MSH")
    result = send("--raw", letter)
    assert (result.exit_code, "AE   letter.txt #1  no MSH" in result.output) == (1, True)
    assert receiver.received == [b"Dear colleague,\r\n"]
