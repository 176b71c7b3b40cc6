"""Messages found in files: however an editor or a capture left them, on the wire they are HL7."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.sending.messages import OutgoingMessage, read, split

ONE = b"MSH|^~\\&|A|B|C|D|20261123||ADT^A01|7|P|2.5\rPID|1||H1\r"
TWO = b"MSH|^~\\&|A|B|C|D|20261123||ADT^A03|8|P|2.5\rPID|1||H2\r"


@pytest.mark.parametrize(
    "content",
    [
        ONE + TWO,
        (ONE + TWO).replace(b"\r", b"\n"),
        (ONE + TWO).replace(b"\r", b"\r\n"),
        ONE.removesuffix(b"\r") + b"\n\n" + TWO.removesuffix(b"\r"),
        b"\xef\xbb\xbf" + ONE + TWO,
        b"\x0b" + ONE + b"\x1c\r\x0b" + TWO + b"\x1c\r",
        b"\x0b" + ONE + b"\x1c\r\n\x0b" + TWO + b"\x1c",
        b"FHS|^~\\&\rBHS|^~\\&\r" + ONE + TWO + b"BTS|2\rFTS|1\r",
    ],
)
def test_several_messages_in_a_file_are_split_at_their_headers(content: bytes) -> None:
    assert split(content) == [ONE, TWO]


def test_the_letters_msh_inside_a_field_split_nothing() -> None:
    noted = ONE + b"OBX|1|TX|||seen in MSH|clinic\rMSHX|no header\r"
    assert split(noted) == [noted]


def test_a_soft_line_break_in_a_text_is_kept() -> None:
    noted = ONE + b"OBX|1|TX|||first\x0bsecond\r"
    assert split(noted) == [noted]


@given(st.lists(st.sampled_from([ONE, TWO]), max_size=5), st.sampled_from([b"\r", b"\n", b"\r\n"]))
def test_no_message_is_lost_or_changed_by_line_ends(messages: list[bytes], end: bytes) -> None:
    assert split(b"".join(messages).replace(b"\r", end)) == messages


def test_a_file_names_its_messages_by_number(tmp_path: Path) -> None:
    file = tmp_path / "adt.hl7"
    file.write_bytes(ONE + TWO)
    assert [message.label for message in read(file)] == ["adt.hl7 #1", "adt.hl7 #2"]
    file.write_bytes(b"Dear colleague,")
    assert read(file) == []


@pytest.mark.parametrize(
    ("accept", "application", "answered"),
    [
        ("", "", "always"),
        ("AL", "NE", "always"),
        ("NE", "NE", "never"),
        ("", "NE", "never"),
        ("ER", "NE", "sometimes"),
        ("", "SU", "sometimes"),
        ("XX", "", "always"),
    ],
)
def test_msh_15_and_16_say_when_an_answer_comes(
    accept: str, application: str, answered: str
) -> None:
    body = f"MSH|^~\\&|A|B|C|D|20261123||ADT^A01|7|P|2.5|||{accept}|{application}\r".encode()
    assert OutgoingMessage("f", 1, body).answered == answered


def test_a_message_does_not_show_its_body() -> None:
    assert "H1" not in repr(OutgoingMessage("f", 1, ONE))
