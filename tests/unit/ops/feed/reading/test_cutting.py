"""A feed's bytes are cut into messages, and every byte is counted."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7.mllp import FrameFault, wrap
from ops.feed.reading import cutting
from ops.feed.reading.cutting import MAX_MESSAGE_BYTES, CutMessage, Cutter, Form
from receiver.settings import ReceiverSettings

ONE = rb"MSH|^~\&|A|B|C|D|20261123||ADT^A01|1|P|2.5" + b"\rPID|1||H1\r"
TWO = ONE.replace(b"|1|P", b"|2|P")


def cut(content: bytes, max_bytes: int = MAX_MESSAGE_BYTES) -> tuple[list[CutMessage], Cutter]:
    cutter = Cutter()
    return list(cutter.pieces(io.BytesIO(content), max_bytes)), cutter


def bodies(content: bytes) -> list[bytes]:
    return [piece.message for piece in cut(content)[0]]


@pytest.mark.parametrize(
    "content",
    [
        ONE + TWO,
        (ONE + TWO).replace(b"\r", b"\n"),
        (ONE + TWO).replace(b"\r", b"\r\n"),
        b"\n\n".join((ONE, TWO)),
        b"\xef\xbb\xbf" + ONE + b"\r\n" + TWO,
        b"junk before\r\n" + ONE + TWO,
    ],
)
def test_messages_of_a_file_are_cut_where_a_line_begins_with_msh(content: bytes) -> None:
    found = [one.removeprefix(b"\xef\xbb\xbf") for one in bodies(content)]
    flat = [one.replace(b"\r\n", b"\r").replace(b"\n", b"\r") for one in found]
    assert flat == [ONE.rstrip(), TWO.rstrip()]


def test_line_ends_inside_a_message_stay_as_they_were_sent() -> None:
    assert bodies(ONE.replace(b"\r", b"\n") + TWO)[0].count(b"\n") == 1


@pytest.mark.parametrize("first", [wrap(ONE), b"\x0b\n" + ONE + b"\x1c\r"])
def test_a_capture_of_mllp_is_cut_by_the_receivers_decoder(first: bytes) -> None:
    pieces, cutter = cut(first + b"\x0b\x1c\r" + wrap(TWO) + b"\x0bMSH|^~")
    assert cutter.form is Form.MLLP
    assert [piece.fault for piece in pieces] == [None, None, FrameFault.CUT_OFF]
    assert [piece.message.strip() for piece in pieces] == [ONE.strip(), TWO.strip(), b"MSH|^~"]
    assert cutter.empty_frames == 1


def test_batch_segments_are_counted_and_end_a_message() -> None:
    content = b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + ONE + TWO + b"BTS|2\rFTS|1\r"
    pieces, cutter = cut(content)
    assert [piece.message for piece in pieces] == [ONE.rstrip(), TWO.rstrip()]
    assert cutter.batch_segments == 4


def test_messages_behind_the_text_of_a_log_are_counted_as_such() -> None:
    pieces, cutter = cut(b"2026-11-23 09:15 INFO " + ONE.replace(b"\r", b" ") + b"\n")
    assert (pieces, cutter.inside_lines) == ([], 1)


def test_a_file_in_utf_16_is_one_message() -> None:
    content = ONE.decode().encode("utf-16")
    pieces, cutter = cut(content)
    assert ([piece.size for piece in pieces], cutter.form) == ([len(content)], Form.WIDE)


def test_a_message_longer_than_the_receiver_takes_is_cut_and_the_next_one_is_whole() -> None:
    long = ONE + b"NTE|1||" + b"x" * 3_000_000 + b"\r"
    for content in (long + TWO, wrap(long) + wrap(TWO)):
        pieces, cutter = cut(content)
        assert [piece.fault for piece in pieces] == [FrameFault.OVERSIZE, None]
        assert len(pieces[0].message) == MAX_MESSAGE_BYTES
        assert pieces[1].message.rstrip() == TWO.rstrip()
        assert cutter.total == len(content)


def test_the_limit_is_the_receivers_default() -> None:
    assert ReceiverSettings.__dataclass_fields__["max_message_bytes"].default == MAX_MESSAGE_BYTES


PARTS = st.sampled_from(
    (ONE, TWO, b"\r", b"\n", b"\x0b", b"\x1c\r", b"FHS|^~\\&|", b"BTS|2\r", b"MS", b"\x00", b"H|")
)
CONTENT = st.one_of(st.binary(max_size=300), st.lists(PARTS | st.binary(max_size=20)).map(b"".join))


@given(CONTENT, st.integers(1, 80), st.integers(1, 120))
def test_every_byte_is_read_and_is_in_at_most_one_message(
    content: bytes, chunk: int, max_bytes: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "CHUNK_BYTES", chunk)
        pieces, cutter = cut(content, max_bytes)
    assert cutter.total == len(content)
    assert sum(piece.size for piece in pieces) <= len(content)
    assert all(len(piece.message) <= max_bytes for piece in pieces)


@given(
    st.lists(PARTS | st.binary(max_size=40).map(lambda b: b.replace(b"\x0b", b""))).map(b"".join)
)
def test_where_a_file_is_cut_does_not_depend_on_its_reads(content: bytes) -> None:
    whole = Cutter()
    whole_pieces = list(whole.pieces(io.BytesIO(b"\r\n" + content)))
    if whole.form is not Form.LINES:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "CHUNK_BYTES", 7)
        patch.setattr(cutting, "_form", lambda head: Form.LINES)
        pieces = list(Cutter().pieces(io.BytesIO(b"\r\n" + content)))
    assert pieces == whole_pieces
