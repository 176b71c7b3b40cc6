"""Receiver and ParseMessage read the same header, sender and patient from the same bytes, whichever they are."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hl7 import charset, er7
from hl7.header import find_header
from hl7.identity import patient_identifier, trigger_event
from hl7.tables import CHARACTER_SETS, INFORMAL_CHARACTER_SETS
from lambdas.common.errors import UnprocessableMessageError
from lambdas.parse_message.read_event import read_event

BASE = (
    "MSH|^~\\&|ADTSYS|NORTHGEN|HUB|ENS|20261123091502||ADT^A01^ADT_A01|NG-1|P|2.5.1||||||{}\r"
    "EVN|A01|20261123091500\r"
    "PID|1|OLD-2|{}^^^NORTHGEN^MR~555^^^SSA^SS|ALT-4|{}^Quill||19610303|F\r"
    "PV1|1|I|4N^1^A^NORTHGEN\r"
)
# In BIG-5 the second byte of U+8A31 is 0x5C; in GB 18030 that of U+4E43 is 0x7C, the field separator.
NAMES = ["Okafor", "Müller", "許", "乃", "功", "ソ", "김", "أحمد", "Ωmega", "Ш"]
LEADS = [[0x81], [0x83], [0xB0], [0xE0], [0xFE], [0x81, 0x30], [0x1B, 0x24, 0x42], [0x8E], [0x8F]]
"""Bytes that begin a character of more bytes in one set or another."""
PIECES = st.sampled_from(
    [
        *(
            b"MSH|^~\\&|",
            b"PID|",
            b"pid|",
            b" PID|1||9^^^X\r",
            b"\nPID|1||8\r",
            b"EVN|A04\r",
            b"\r",
        ),
        *(
            b"\n",
            b"\r\n",
            b"|",
            b"^",
            b"~",
            b"\\",
            b"&",
            b'""',
            b"\\T\\",
            b"\\X0D\\",
            b"\\.sp99999\\",
        ),
        *(
            b"ADT^A01",
            b"BIG-5",
            b"GB 18030-2000",
            b"UNICODE UTF-16",
            b"ISO IR87",
            b"8859/1",
            b"\x1b$B",
        ),
        *(b"\xff\xfe", b"M\0S\0H\0", b"\x00", b"\x85", b"\xa0", b"\xe9", b"\xb3|\\", b"\xc3\xa9"),
        *(b"NTE|1||text\r", b"OBX|1|TX|||a\rPID|2||7\r", b"  ", b"\t", b"1||007^^^AA"),
    ]
)


def assert_agreement(raw: bytes) -> None:
    """The receiver's reading of these bytes is ParseMessage's, or ParseMessage refuses them."""
    header = find_header(raw)
    try:
        event = read_event(raw, "e")
    except UnprocessableMessageError:
        return
    assert header is not None
    assert header.leads
    assert header.letterhead.readable
    sender = (header.letterhead.sending_application, header.letterhead.sending_facility)
    assert (event.sending_application, event.sending_facility) == sender
    assert er7.control_id(raw) == event.message_control_id
    if event.trigger_event != "other":
        assert event.trigger_event == trigger_event(header)
    named = [(i.field, i.value) for i in event.patient.identifiers if i.value]
    first = [value for field in ("PID-3", "PID-2", "PID-4") for f, value in named if f == field]
    identifier = patient_identifier(header)
    assert (identifier[0] if identifier else None) == (first[0] if first else None)


def naive(raw: bytes) -> list[bytes]:
    """MSH as a reader finds it that knows no character sets: split at the byte 0x7C up to the first CR."""
    return raw.split(b"\r", 1)[0].split(b"|")


SETS = [*CHARACTER_SETS, *INFORMAL_CHARACTER_SETS, "CP936", "WINDOWS949", "CP950", "CNS 11643-1992"]


@pytest.mark.parametrize("declared", SETS)
@settings(max_examples=40)
@given(
    hostile=st.lists(
        st.sampled_from([*map(bytes, LEADS), b"|", b"^", b"~", b"\\", b"A"]), max_size=8
    )
)
def test_a_character_set_gives_no_other_sender_or_trigger_than_the_bytes(
    declared: str, hostile: list[bytes]
) -> None:
    """A lead byte before a delimiter swallowed it for one reader alone: binding and triggers were passed by."""
    swallowing = b"".join(hostile)
    raw = b"MSH|^~\\&|ADTSYS%b|NORTHGEN|H|E|2026||ADT^A01|1|P|2.5||||||%b\rPID|1||7^^^A||Q\r" % (
        swallowing,
        declared.encode(),
    )
    header = find_header(raw)
    assert_agreement(raw)
    if header is None or header.has_two_readings or not header.letterhead.readable:
        return
    fields = naive(raw)
    if b"\x1b" not in raw and not charset.marked_codec(raw):
        assert [header.letterhead.value(n) for n in (3, 4, 9)] == [
            fields[n - 1] if n <= len(fields) else b"" for n in (3, 4, 9)
        ]


@pytest.mark.parametrize("declared", [name for name in SETS if charset.codec_of(name)])
def test_a_set_that_is_cut_as_bytes_has_ascii_in_no_other_character(declared: str) -> None:
    if charset.wide_codec((declared,)):
        return
    codec = charset.codec_of(declared)
    for lead in range(0x80, 0x100):
        for delimiter in b"|^~\\&\rMSH":
            try:
                text = bytes([lead, delimiter]).decode(codec)
            except UnicodeError:
                continue
            assert text.endswith(chr(delimiter))


@settings(max_examples=300)
@given(pieces=st.lists(PIECES, max_size=12), start=st.sampled_from([b"", BASE.encode()]))
@example(pieces=[b"\r", b"NTE|1||\nPID|1||8\r"], start=b"MSH|^~\\&|A|B|||||ADT^A01|1|P|2.5")
def test_receiver_and_parser_agree_on_hostile_bytes(pieces: list[bytes], start: bytes) -> None:
    body = b"".join(pieces)
    for raw in (start + body, b"MSH|^~\\&|" + body, start[:90] + body + start[90:]):
        assert_agreement(raw)


@settings(max_examples=200)
@given(raw=st.binary(max_size=300), at=st.integers(0, 230))
def test_receiver_and_parser_agree_on_arbitrary_bytes(raw: bytes, at: int) -> None:
    base = BASE.encode()
    assert_agreement(raw)
    assert_agreement(base[:at] + raw + base[at:])


@pytest.mark.parametrize("declared", [*CHARACTER_SETS, "CNS 11643-1992", "SHIFT_JIS", ""])
@pytest.mark.parametrize("name", NAMES)
def test_receiver_and_parser_agree_in_every_character_set(declared: str, name: str) -> None:
    text = BASE.format(declared, name, name)
    for codec in dict.fromkeys([CHARACTER_SETS.get(declared, "utf-8"), "utf-8", "big5", "gb18030"]):
        assert_agreement(text.encode(codec, errors="replace"))


@pytest.mark.parametrize(
    ("declared", "name"),
    [("BIG-5", "許"), ("GB 18030-2000", "乃"), ("ISO IR87", "山"), ("UNICODE UTF-16", "許")],
)
def test_a_character_that_contains_a_delimiter_is_one_character(declared: str, name: str) -> None:
    raw = BASE.format(declared, name, name).encode(CHARACTER_SETS[declared])
    header = find_header(raw)
    assert header is not None
    assert patient_identifier(header) == (name, "NORTHGEN")
    assert read_event(raw, "e").patient.name.family == name


@pytest.mark.parametrize("count", ["9" * 5000, "-" + "1" * 4400])
def test_an_escape_sequence_with_a_huge_number_is_read_as_text(count: str) -> None:
    raw = (BASE.format("", "1", "Q") + f"NTE|1||a\\.sp{count}\\b\r").encode()
    assert count in read_event(raw, "e").notes[0].text


@pytest.mark.parametrize("spoof", ["ADTSYS&X", "ADTSYS\\T\\X", "\\X41\\DTSYS&", "ADTSYS&&"])
def test_a_sender_written_with_more_than_its_name_is_another_sender(spoof: str) -> None:
    raw = BASE.format("", "1", "Q").replace("ADTSYS", spoof, 1).encode()
    header = find_header(raw)
    assert header is not None
    assert header.letterhead.sending_application != "ADTSYS"
    assert_agreement(raw)
