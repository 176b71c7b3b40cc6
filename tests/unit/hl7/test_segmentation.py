"""Lines into segments: what begins one, what continues a field, and which fields keep their places."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hl7 import er7
from hl7.header import find_header
from hl7.identity import patient_identifier
from hl7.segmentation import cut
from hl7.tables import SEGMENTS
from hl7.warnings import MessageWarning, WarningCode

MSH = "MSH|^~\\&|HIS|EAST|||20270105081500+0100||ADT^A03|E-77|P|2.4"
LINES = [
    MSH,
    "EVN|A03|20270105081400+0100||||20270105080000+0100",
    "PID|1|OLD7|E-1001^^^EAST^MR~778^^^SSN^SS||Lindgren^Alva^M||19440317|F|||Strandgatan 4^^Visby^^62156"
    "||+46498123^PRN^PH|||||ACC-9|||||||||||20270105075500+0100|Y",
    "PV1|1|I|K3^12^A^EAST||||P55^Holm^Sten|P56^Falk^Eva|||||||||||V-88|||||||||||||||||20||||||||"
    "20270101120000+0100|20270105080500+0100",
    "PV2|||^Breathlessness on exertion^L||||||20270109",
    "DG1|1||J44.1^COPD with exacerbation^I10||20270101|A",
    "OBX|1|TX|18842-5^Summary^LN||Oxygen at home. Takes tiotropium.||||||F",
    "NTE|1||Lives alone.",
]
MESSAGE = "\r".join(LINES) + "\r"


def segments(text: str) -> list[tuple[str, str]]:
    return [(one.name, one.raw) for one in cut(text, "|")]


def after(*lines: str, end: str = "\r") -> list[tuple[str, str]]:
    """The segments behind MSH and EVN."""
    return segments(end.join([MSH, "EVN|A01", *lines]))[2:]


def test_a_regular_message_is_its_lines() -> None:
    assert [raw for _, raw in segments(MESSAGE)] == LINES


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\n\r", "\r\r", "\n\n"])
def test_every_way_to_end_segments_gives_the_same_segments(end: str) -> None:
    assert segments(end.join(LINES) + end) == segments(MESSAGE)


def test_segment_ends_may_be_mixed_in_one_message() -> None:
    text = (
        LINES[0]
        + "\r\n"
        + LINES[1]
        + "\r"
        + LINES[2]
        + "\n"
        + LINES[3]
        + "\n\r"
        + "\r".join(LINES[4:])
    )
    assert segments(text) == segments(MESSAGE)


PLACES = [n for n, character in enumerate(MESSAGE) if n > len(MSH) + 4 and character not in "\r"]
BREAKS = [
    "\r",
    "\n",
    "\r\n",
    "\n\n",
    "\r\rCAD\r",
    "\nAKI\n",
    "\nthe plan\r",
    "\nZ\n",
    "\nOBX note\n",
]


@settings(max_examples=400)
@given(place=st.sampled_from(PLACES), line_break=st.sampled_from(BREAKS))
def test_a_line_break_at_any_place_of_any_field_keeps_all_other_fields(
    place: int, line_break: str
) -> None:
    before, behind = MESSAGE[:place], MESSAGE[place:]
    number = before.count("\r")
    if behind.startswith("|") and before[before.rfind("\r") + 1 :].count("|") == 0:
        return  # between a segment's name and its first separator: no field
    if before.endswith("\r") or before[before.rfind("\r") + 1 :].count("|") == 0:
        return  # inside the name
    found = segments(before + line_break + behind)
    assert [name for name, _ in found] == [line[:3] for line in LINES]
    for index, ((_, raw), line) in enumerate(zip(found, LINES, strict=True)):
        fields, sent = raw.split("|"), line.split("|")
        assert len(fields) == len(sent)
        broken = before.rsplit("\r", 1)[-1].count("|") if index == number else -1
        assert [f for n, f in enumerate(fields) if n != broken] == [
            f for n, f in enumerate(sent) if n != broken
        ]


@settings(max_examples=400)
@given(place=st.integers(4, len(MESSAGE)), line_break=st.sampled_from(BREAKS))
def test_receiver_and_parser_find_the_same_patient_wherever_a_line_breaks(
    place: int, line_break: str
) -> None:
    raw = (MESSAGE[:place] + line_break + MESSAGE[place:]).encode()
    header = find_header(raw)
    try:
        message = er7.read(raw)
    except er7.Er7Error:
        return
    assert header is not None
    pid = message.first("PID")
    values = [value.component(1) for number in (3, 2, 4) for value in pid.repetitions(number)]
    sent = next((value for value in values if value), None)
    identifier = patient_identifier(header)
    assert (identifier[0] if identifier else None) == sent


@pytest.mark.parametrize(
    "word",
    [
        "COPD",
        "DVT",
        "PE",
        "CAD",
        "PID",
        "EVN",
        "ZZZ",
        "pid",
        "obx",
        "DG1 was coded",
        "OBX note",
        "Al1",
        "PV1: transferred",
        "NTE",
        "PMH",
        "MSH",
        "MSH segment",
        "ADD 5 mg",
        "ADD",
        "PR1-2",
    ],
)
@pytest.mark.parametrize("line_break", ["\r", "\n", "\r\n"])
def test_a_word_on_a_line_of_a_note_is_text(word: str, line_break: str) -> None:
    note = f"OBX|1|TX|||History:{line_break}{word}{line_break}Takes apixaban||||||F"
    (found,) = after(note)
    assert found[0] == "OBX"
    value = found[1].split("|")[5]
    assert value.split("\n") == ["History:", word, "Takes apixaban"]
    assert found[1].split("|")[11] == "F"


@pytest.mark.parametrize("word", ["AKI", "DVT", "DG1", "PID", "COPD", "stroke"])
@pytest.mark.parametrize("status", ["W", "D", "F", "C"])
@pytest.mark.parametrize("line_break", ["\r", "\n"])
def test_the_last_line_of_a_note_brings_its_status(word: str, status: str, line_break: str) -> None:
    (found,) = after(f"OBX|1|TX|||Metastases.{line_break}{word}||||||{status}")
    assert found[1].split("|")[11] == status


def test_a_line_feed_before_a_segment_is_a_segment_end_also_where_cr_is_usual() -> None:
    assert after("PID|1||7\nPV1|1|I", "NTE|1||x") == [
        ("PID", "PID|1||7"),
        ("PV1", "PV1|1|I"),
        ("NTE", "NTE|1||x"),
    ]


def test_a_line_that_only_looks_like_a_segment_stays_in_the_note() -> None:
    (found,) = after("NTE|1||Codes:\nDG1|was not coded\nPV1|2 beds")
    assert found[1].startswith("NTE|1||Codes:\nDG1")


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("PV1 |1|I", "PV1"),
        ("  PV1|1|I", "PV1"),
        ("\tPV1\t|1|I", "PV1"),
        ("pv1|1|I", "PV1"),
        ("Pv1 |1|I", "PV1"),
        ("ZPD|x", "ZPD"),
        ("ZPATIENT2|x", "ZPATIENT2"),
        ("VENDORX|x", "VENDORX"),
        ("QQQ|1|x", "QQQ"),
    ],
)
def test_a_name_in_another_spelling_begins_a_segment(sent: str, name: str) -> None:
    found = after("NTE|1||Takes apixaban.", sent)
    assert [one for one, _ in found] == ["NTE", name]
    assert found[0][1] == "NTE|1||Takes apixaban."


def test_names_in_another_spelling_are_one_warning_that_counts_them() -> None:
    lines = [MSH, "EVN|A01", "pid|1||7||Lind^A", "  PV1|1|I", "DG1 |1", "NTE|1||a"]
    repairs = er7.read("\r".join(lines).encode()).repairs
    assert repairs == [MessageWarning(WarningCode.NAME_MISWRITTEN, "segment 3", "3")]


def test_three_capitals_in_an_address_are_part_of_it() -> None:
    ((_, raw),) = after("PID|1||7^^^EAST||Lind^A||||||Box 4\rUSA||555||||||||||||||||||Y")
    assert raw.split("|")[11] == "Box 4\nUSA"
    assert raw.split("|")[13] == "555"


def test_an_empty_segment_without_separator_is_set_apart() -> None:
    assert after("PD1", "PV1|1|I", "PV2") == [("PD1", "PD1"), ("PV1", "PV1|1|I"), ("PV2", "PV2")]


def test_add_continues_the_last_field_and_brings_the_fields_behind() -> None:
    found = after("OBX|1|TX|||Known AF, on api", "ADD|xaban.||||||W", "NTE|1||a", "DSC|4", "ADD|b")
    assert found == [("OBX", "OBX|1|TX|||Known AF, on apixaban.||||||W"), ("NTE", "NTE|1||ab")]


def test_a_continuation_in_another_message_is_a_warning() -> None:
    message = er7.read("\r".join([MSH, "PID|1||7", "NTE|1||Known", "DSC|4711|I"]).encode())
    assert MessageWarning(WarningCode.MESSAGE_CONTINUES, "DSC-1") in message.repairs


def test_repairs_name_the_field_and_no_text() -> None:
    lines = [MSH, "EVN|A01", "PID|1||7||Lind^A||||||Box 4\rVisby", "NTE|1||a\rb\rc"]
    repairs = er7.read("\r".join(lines).encode()).repairs
    assert MessageWarning(WarningCode.CONTINUED_LINES, "PID-11", "2") in repairs
    assert MessageWarning(WarningCode.CONTINUED_LINES, "NTE[1]-3", "3") in repairs
    assert not any("Visby" in str(one) for one in repairs)


@pytest.mark.parametrize("field", [3, 4, 7, 9, 10, 12])
@pytest.mark.parametrize("line_break", [b"\r", b"\n"])
def test_a_line_break_inside_msh_keeps_the_fields_behind(field: int, line_break: bytes) -> None:
    fields = MSH.encode().split(b"|")
    fields[field - 1] = fields[field - 1] + line_break + b"x"
    header = find_header(b"|".join(fields) + b"\rEVN|A03\rPID|1||E-1001\r")
    assert header is not None
    if field < 12:
        assert header.letterhead.value(12) == b"2.4"
    assert patient_identifier(header) == ("E-1001", "")


def test_every_segment_of_another_implementation_is_known() -> None:
    """hl7apy's tables of all versions, read from its modules."""
    from hl7apy import SUPPORTED_LIBRARIES, load_library

    for version in SUPPORTED_LIBRARIES:
        names = set(load_library(version).SEGMENTS)
        assert {name for name in names if len(name) == 3 and name[0] != "Z"} <= SEGMENTS
