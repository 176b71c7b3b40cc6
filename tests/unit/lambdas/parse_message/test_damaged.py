"""Damaged messages: read, or refused with one of the project's errors, and never anything else."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hl7.er7 import holds_second_message
from hl7.header import find_header
from hl7.identity import event_id, patient_identifier
from hl7.mllp import Frame
from lambdas.common.errors import EnsError
from lambdas.parse_message.read_event import read_event
from receiver.intake.rejections import Rules
from receiver.intake.sender_table import SenderBinding
from tests.support.messages import sample

SENDER = SenderBinding("northgen", "ADTSYS", "NORTHGEN")

SAMPLES = ("admission", "discharge", "discharge_expired", "transfer", "ed_registration", "merge")
PIECES = [
    *(
        b"\r",
        b"\n",
        b"\r\n",
        b"|",
        b"^",
        b"~",
        b"\\",
        b"&",
        b"&amp;",
        b"\\\\",
        b'""',
        b"\x1b$B",
        b"\x1b(B",
    ),
    *(
        b"\rPID|",
        b"\nPID|1||9",
        b"\rMSH|^~\\&|",
        b"\rADD|",
        b"\rDSC|1",
        b"\rZZZ|",
        b"\rOBX|1|TX|||",
    ),
    *(
        b"\\X",
        b"\\X00\\",
        b"\\.sp9999\\",
        b"\xff",
        b"\xc3\xa9",
        b"\xe9",
        b"\x00",
        b"\x85",
        b"9" * 40,
    ),
    *(
        b"99991231",
        b"expired",
        b"2026-13-45",
        b"-",
        b"+9999",
        b"A&E&x",
        b"UNICODE UTF-16",
        b"~ISO IR87",
    ),
]
RULES = Rules(frozenset("PTD"))


def assert_read_or_rejected(raw: bytes) -> None:
    """Receiver and parser end in a result or a named error, and agree that it is one message."""
    header = find_header(raw)
    rejection = RULES.rejection_of(Frame(raw), header, SENDER)
    if header is not None:
        event_id(header, "northgen")
        patient_identifier(header)
    try:
        read_event(raw, "e")
    except EnsError as error:
        if rejection is None:
            # Acknowledged: only its content may be at fault, never its form.
            assert str(error) in (
                "the message has no PID segment",
                "MSH-12 is not a version of HL7 v2",
            )


@settings(max_examples=400)
@given(
    name=st.sampled_from(SAMPLES),
    edits=st.lists(st.tuples(st.floats(0, 1), st.sampled_from(PIECES)), max_size=8),
    cut=st.floats(0, 1),
)
def test_pieces_put_anywhere_into_a_message_end_in_an_event_or_a_named_error(
    name: str, edits: list[tuple[float, bytes]], cut: float
) -> None:
    raw = sample(name)
    for place, piece in edits:
        at = int(place * len(raw))
        raw = raw[:at] + piece + raw[at:]
    assert_read_or_rejected(raw)
    assert_read_or_rejected(raw[: int(cut * len(raw))])


@pytest.mark.parametrize("seed", range(20))
def test_bytes_that_were_changed_or_lost_end_in_an_event_or_a_named_error(seed: int) -> None:
    chance = random.Random(seed)
    for name in SAMPLES:
        raw = bytearray(sample(name))
        for _ in range(chance.randrange(1, 60)):
            at = chance.randrange(len(raw))
            raw[at : at + chance.randrange(3)] = bytes(
                chance.randrange(256) for _ in range(chance.randrange(3))
            )
        assert_read_or_rejected(bytes(raw))


@pytest.mark.parametrize("second", [b"MSH|^~\\&|", b"msh|^~\\&|", b"  MSH |^~\\&|", b"Msh|^~|"])
@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_a_second_message_in_a_frame_is_seen_at_the_door(second: bytes, end: bytes) -> None:
    first = sample("admission").replace(b"\r", end)
    header = find_header(first + second + b"B|B|||2026||ADT^A01|2|P|2.5" + end)
    assert header is not None
    assert holds_second_message(header)
    assert_read_or_rejected(first + second + b"B|B|||2026||ADT^A01|2|P|2.5" + end)


def test_a_message_cut_off_behind_the_name_of_a_second_header_is_one_message() -> None:
    raw = sample("admission") + b"MSH"
    header = find_header(raw)
    assert header is not None
    assert not holds_second_message(header)
    read_event(raw, "e")


def test_the_word_msh_in_a_note_is_no_second_message() -> None:
    raw = sample("admission") + b"NTE|9||MSH|not a header~x\rNTE|10||see\nMSH of the sender\r"
    header = find_header(raw)
    assert header is not None
    assert not holds_second_message(header)
    assert_read_or_rejected(raw)
