"""The decoder: every whole message once and in order, however the bytes are cut and bent."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7.mllp import Decoder, Frame, FrameFault, wrap

MAX = 4096

ONE = b"MSH|^~\\&|A|B|||20261123||ADT^A01|1|P|2.5\rPID|||77^^^NG\r"
TWO = b"MSH|^~\\&|A|B|||20261123||ADT^A03|2|P|2.5\rPID|||78^^^NG\r"
LONG = ONE + b"OBX|1|TX|||" + b"x" * 70_000 + b"\r"


def decode(*reads: bytes, max_bytes: int = 1 << 20) -> list[Frame]:
    """All frames of a stream that arrives in these reads and then ends."""
    decoder = Decoder(max_bytes)
    return [frame for read in reads for frame in decoder.feed(read)] + decoder.end()


def whole(*payloads: bytes) -> list[Frame]:
    return [Frame(payload) for payload in payloads]


def every(size: int, stream: bytes) -> list[bytes]:
    return [stream[at : at + size] for at in range(0, len(stream), size)]


SIXTEEN_CASES = {
    "two messages one after the other": ([wrap(ONE), wrap(TWO)], whole(ONE, TWO)),
    "three messages in one write": ([wrap(ONE) + wrap(TWO) + wrap(ONE)], whole(ONE, TWO, ONE)),
    "a split every 50 bytes": (every(50, wrap(ONE) + wrap(TWO)), whole(ONE, TWO)),
    "the end block in two packets": ([wrap(ONE)[:-1], b"\r" + wrap(TWO)], whole(ONE, TWO)),
    "NUL and CRLF between frames": ([wrap(ONE) + b"\x00\r\n\x00" + wrap(TWO)], whole(ONE, TWO)),
    "junk before the start block": ([b"GET / HTTP/1.1" + wrap(ONE)], whole(ONE)),
    "no CR after the end block": ([wrap(ONE)[:-1] + wrap(TWO)], whole(ONE, TWO)),
    "an end block byte inside the body": (
        [wrap(b"MSH|a\rNTE|1||one\x1ctwo\r")],
        whole(b"MSH|a\rNTE|1||one\x1ctwo\r"),
    ),
    "an aborted frame and a new start block": (
        [b"\x0bMSH|^~\\&|A|half a mess" + wrap(TWO)],
        [Frame(b"MSH|^~\\&|A|half a mess", FrameFault.ABORTED), Frame(TWO)],
    ),
    "a byte that is not UTF-8": ([wrap(b"MSH|Jos\xe9\r")], whole(b"MSH|Jos\xe9\r")),
    "a payload that is not HL7": ([wrap(b"hello") + wrap(ONE)], whole(b"hello", ONE)),
    "an empty frame": ([b"\x0b\x1c\r" + wrap(ONE)], whole(b"", ONE)),
    "an unknown message type": ([wrap(b"MSH|^~\\&|||||||XYZ\r")], whole(b"MSH|^~\\&|||||||XYZ\r")),
    "LF as segment end": (
        [wrap(ONE.replace(b"\r", b"\n"))[:-1] + wrap(TWO.replace(b"\r", b"\r\n"))],
        whole(ONE.replace(b"\r", b"\n"), TWO.replace(b"\r", b"\r\n")),
    ),
    "70 kB": (every(8192, wrap(LONG)), whole(LONG)),
    "half-close right behind the end block byte": ([wrap(ONE.rstrip())[:-1]], whole(ONE.rstrip())),
}


@pytest.mark.parametrize(("reads", "expected"), SIXTEEN_CASES.values(), ids=SIXTEEN_CASES.keys())
def test_each_framing_case_comes_out_right(reads: list[bytes], expected: list[Frame]) -> None:
    assert decode(*reads) == expected


@pytest.mark.parametrize(("reads", "expected"), SIXTEEN_CASES.values(), ids=SIXTEEN_CASES.keys())
def test_each_framing_case_comes_out_the_same_byte_by_byte(
    reads: list[bytes], expected: list[Frame]
) -> None:
    assert decode(*every(1, b"".join(reads))) == expected


OTHER_CASES = {
    "start and end block twice": ([b"\x0b\x0b" + ONE + b"\x1c\x1c\r\x1c\r"], whole(ONE)),
    "end block twice behind text": ([b"\x0bMSH|a\x1c\x1c\r"], whole(b"MSH|a")),
    "a soft line break of a word processor": (
        [wrap(b"MSH|a\rNTE|1||one\x0btwo\r")],
        whole(b"MSH|a\rNTE|1||one\x0btwo\r"),
    ),
    "a soft line break before the short name of a hospital": (
        [wrap(b"MSH|a\rNTE|1||seen at\x0bMSH today,\x0bMSH-ED and\x0bMSH\r")],
        whole(b"MSH|a\rNTE|1||seen at\x0bMSH today,\x0bMSH-ED and\x0bMSH\r"),
    ),
    "an aborted frame, then one without MSH-2": (
        [b"\x0bMSH|^~\\&|A" + wrap(b"MSH||A|B\r")],
        [Frame(b"MSH|^~\\&|A", FrameFault.ABORTED), Frame(b"MSH||A|B\r")],
    ),
    "end block without CR, then junk, then a frame": (
        [b"\x0b" + ONE + b"\x1cjunk" + wrap(TWO)],
        whole(ONE, TWO),
    ),
    "LF instead of CR behind the end block": (
        [b"\x0bMSH|a\x1c\n" + wrap(TWO)],
        whole(b"MSH|a", TWO),
    ),
    "no start block": (
        [ONE + b"\x1c\r" + wrap(TWO)],
        [Frame(ONE, FrameFault.NO_START_BLOCK), Frame(TWO)],
    ),
    "the end in the middle": ([b"\x0bMSH|a\rPI"], [Frame(b"MSH|a\rPI", FrameFault.CUT_OFF)]),
    "nothing but separators": ([b"\r\n\x00\x00"], []),
    "junk that looks like MSH at first": ([b"MSX" + wrap(ONE)], whole(ONE)),
    "an end block without a frame": ([b"\x1c\r" + wrap(ONE)], whole(ONE)),
}


@pytest.mark.parametrize(("reads", "expected"), OTHER_CASES.values(), ids=OTHER_CASES.keys())
def test_other_bent_streams_come_out_right_in_one_read_and_byte_by_byte(
    reads: list[bytes], expected: list[Frame]
) -> None:
    assert decode(*reads) == expected
    assert decode(*every(1, b"".join(reads))) == expected


def test_bytes_between_frames_are_counted() -> None:
    decoder = Decoder(MAX)
    decoder.feed(wrap(ONE) + b"\x00\r\n" + wrap(TWO) + b"junk" + wrap(ONE))
    assert (decoder.separator_bytes, decoder.junk_bytes) == (3, 4)


def test_the_own_carriage_return_of_a_frame_is_not_noise() -> None:
    decoder = Decoder(MAX)
    for read in every(1, wrap(ONE) + wrap(TWO)):
        decoder.feed(read)
    assert (decoder.separator_bytes, decoder.junk_bytes) == (0, 0)


def test_an_oversize_frame_is_told_at_once_with_its_first_bytes_and_the_next_one_is_read() -> None:
    decoder = Decoder(max_bytes=100)
    told = decoder.feed(b"\x0bMSH|" + b"x" * 200)
    assert told == [Frame(b"MSH|" + b"x" * 96, FrameFault.OVERSIZE)]
    assert decoder.feed(b"x" * 500) == []
    assert decoder.feed(b"\r\x1c\r" + wrap(ONE)) == whole(ONE)


def test_a_new_frame_ends_an_oversize_one() -> None:
    frames = decode(b"\x0bMSH|" + b"x" * 200, b"x" * 200, wrap(ONE), max_bytes=100)
    assert frames == [Frame(b"MSH|" + b"x" * 96, FrameFault.OVERSIZE), Frame(ONE)]


def test_a_frame_of_exactly_the_limit_is_whole() -> None:
    payload = b"MSH|" + b"x" * 95 + b"\r"
    for reads in ([wrap(payload)], every(1, wrap(payload))):
        assert decode(*reads, max_bytes=100) == whole(payload)


def test_memory_stays_bounded_in_a_frame_that_never_ends() -> None:
    decoder = Decoder(max_bytes=1000)
    decoder.feed(b"\x0bMSH|")
    for _ in range(100):
        decoder.feed(b"x" * 10_000)
        assert len(decoder._buffer) <= 11_000


def test_silence_after_the_end_block_byte_ends_the_frame_and_a_late_cr_is_no_noise() -> None:
    decoder = Decoder(MAX)
    assert decoder.feed(b"\x0bMSH|a\x1c") == []
    assert decoder.may_have_ended
    assert decoder.settle() == whole(b"MSH|a")
    assert decoder.feed(b"\r" + wrap(TWO)) == whole(TWO)
    assert decoder.separator_bytes == 0


def test_an_end_block_byte_inside_text_does_not_look_like_the_end_once_more_has_come() -> None:
    decoder = Decoder(MAX)
    decoder.feed(b"\x0bMSH|a\x1cb")
    assert not decoder.may_have_ended
    assert decoder.settle() == []
    assert decoder.feed(b"c\r\x1c\r") == whole(b"MSH|a\x1cbc\r")


def test_reading_is_linear_in_the_bytes_however_they_are_cut() -> None:
    def seconds(size: int) -> float:
        stream = wrap(b"MSH|" + b"a\x0bb\x1cc" * (size // 5) + b"\r")
        decoder = Decoder(1 << 24)
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            for read in every(1000, stream):
                decoder.feed(read)
            best = min(best, time.process_time() - began)
        return best

    assert seconds(400_000) < 12 * seconds(100_000) + 0.02


segment = st.binary(max_size=30).map(lambda b: b.translate(None, b"\x0b\x1c\r\n") + b"\r")
payload = st.lists(segment, max_size=4).map(lambda segments: b"MSH|" + b"".join(segments))
text_with_blocks = st.builds(
    lambda before, block, after: b"MSH|a\rNTE|1||x" + before + block + after + b"z\r",
    st.text("abc|^~", max_size=9).map(str.encode),
    st.sampled_from([b"\x1ct", b"\x0bt", b"\x0bM", b"\x1cu"]),
    st.text("abc|^~", max_size=9).map(str.encode),
)
noise = st.one_of(
    st.just(b""),
    st.text("\x00\r\n", max_size=4).map(str.encode),
    st.binary(max_size=12).map(lambda b: b"~" + b.translate(None, b"\x0b\x1c")),
)
message = st.one_of(payload.filter(lambda p: p.endswith(b"\r")), text_with_blocks)
ending = st.sampled_from([b"\x1c\r", b"\x1c", b"\x1c\n", b"\x1c\x1c\r"])


@given(st.data(), st.lists(st.tuples(noise, message, ending), max_size=6))
def test_every_well_formed_message_comes_out_once_and_in_order(
    data: st.DataObject, sent: list[tuple[bytes, bytes, bytes]]
) -> None:
    stream = b"".join(n + b"\x0b" + m + e for n, m, e in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    edges = [0, *cuts, len(stream)]
    reads = [stream[a:b] for a, b in itertools.pairwise(edges)]
    assert decode(*reads) == whole(*(m for _, m, _ in sent))


@given(st.lists(st.text("\x0b\x1c\r\n\x00MSH|a", max_size=20).map(str.encode), max_size=6))
def test_any_bytes_come_out_the_same_however_they_are_cut(reads: list[bytes]) -> None:
    stream = b"".join(reads)
    assert decode(*reads, max_bytes=64) == decode(stream, max_bytes=64)
    assert decode(*every(1, stream), max_bytes=64) == decode(stream, max_bytes=64)


@given(st.binary(max_size=200))
def test_what_is_wrapped_is_read_back_when_it_begins_like_a_message(body: bytes) -> None:
    sent = b"MSH|" + body.translate(None, b"\x0b\x1c") + b"\r"
    assert decode(wrap(sent)) == whole(sent)
