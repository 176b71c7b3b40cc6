"""Bytes to segments and values: character sets, delimiters, segment ends, escapes, limits."""

import pytest

from hl7 import er7
from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.errors import UnprocessableMessageError
from lambdas.parse_message.read_event import read_event
from lambdas.parse_message.segments.groups import MAX_GROUPS
from lambdas.parse_message.segments.patient import MAX_FURTHER_IDENTIFIERS

HEADER = rb"MSH|^~\&|ADTSYS|NORTHGEN|||20261123091500-0400||ADT^A01|M1|P|2.5"
PID = b"PID|1||007^^^NORTHGEN^MR||Okafor^Amara"


def message(*segments: bytes, header: bytes = HEADER, end: bytes = b"\r") -> bytes:
    return end.join((header, PID, *segments)) + end


def family_name(raw: bytes) -> tuple[str, tuple[str, ...]]:
    event = read_event(raw, "e")
    return event.patient.name.family, tuple(map(str, event.warnings))


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_every_segment_end_that_senders_use_is_read(end: bytes) -> None:
    event = read_event(message(b"PV1|1|I", end=end), "e")
    assert event.visit.patient_class == "I"
    assert (MessageWarning(WarningCode.LINE_FEEDS) in event.warnings) is (end != b"\r")


def test_what_frames_the_message_is_not_part_of_it() -> None:
    raw = b"\x0b\xef\xbb\xbf" + message() + b"\x1c\r"
    assert read_event(raw, "e").message_control_id == "M1"


@pytest.mark.parametrize(
    ("declared", "encoding", "warning"),
    [
        ("UNICODE UTF-8", "utf-8", None),
        ("8859/1", "latin-1", None),
        ("8859/2", "iso8859-2", None),
        ("", "utf-8", "the message was read as UTF-8"),
        ("", "cp1252", "the message was read as Windows-1252"),
        ("ASCII", "utf-8", "the message is not in the character set of MSH-18"),
        ("UNICODE UTF-8", "cp1252", "the message is not in the character set of MSH-18"),
        ("KLINGON", "utf-8", "MSH-18 names a character set that is not known"),
    ],
)
def test_a_name_keeps_its_letters_in_whatever_character_set(
    declared: str, encoding: str, warning: str | None
) -> None:
    name = "Lindström" if encoding != "iso8859-2" else "Łukasz"
    raw = f"MSH|^~\\&|A|B|||20261123||ADT^A01|M1|P|2.5||||||{declared}\rPID|1||7^^^N||{name}\r"
    found, warnings = family_name(raw.encode(encoding))
    assert found == name
    assert (warning in warnings) if warning else not any("character" in w for w in warnings)


def test_windows_quotes_under_a_latin_1_label_are_read_as_meant() -> None:
    raw = b"MSH|^~\\&|A|B|||20261123||ADT^A01|M1|P|2.5||||||8859/1\rPID|1||7^^^N||O\x92Neill\r"
    assert family_name(raw)[0] == "O’Neill"


def test_a_byte_that_windows_1252_leaves_open_is_left_out() -> None:
    assert family_name(message().replace(b"Okafor", b"Ok\x81f\xe9r"))[0] == "Okfér"


def test_utf_16_is_read_by_its_mark() -> None:
    assert family_name(message().decode().encode("utf-16"))[0] == "Okafor"


def test_an_html_escaped_header_is_repaired() -> None:
    raw = message(b"PV1|1|I|4W^1^2^N&1&NPI").replace(rb"|^~\&|", rb"|^~\&amp;|")
    event = read_event(raw, "e")
    assert event.visit.location.facility == "N"
    assert event.sending_application == "ADTSYS"
    assert MessageWarning(WarningCode.DELIMITERS_ESCAPED, "MSH-2") in event.warnings


def test_a_senders_own_delimiters_are_respected() -> None:
    raw = b"MSH$%~*@$A$B$$$20261123$$ADT%A01$M1$P$2.5\rPID$1$$7%%%N@1%MR$$O*S*kafor%Am|ra\r"
    event = read_event(raw, "e")
    assert event.patient.name.family == "O%kafor"
    assert event.patient.name.given == "Am|ra"
    assert event.patient.identifiers[0].universal_id == "1"


@pytest.mark.parametrize(
    ("header", "position"),
    [
        (b"MSH", "MSH-1"),
        (b"MSHA", "MSH-1"),
        (b"MSH|^^^^|", "MSH-2"),
        (b"MSH|ABCD|", "MSH-2"),
        (b"BHS|^~\\&|", "MSH"),
        (b"", "MSH"),
        (b"Dear colleague, Mrs Okafor", "MSH"),
    ],
)
def test_what_is_not_hl7_is_refused_by_position_and_never_by_value(
    header: bytes, position: str
) -> None:
    with pytest.raises(UnprocessableMessageError) as refused:
        read_event(header, "e")
    assert position in str(refused.value)
    assert "Okafor" not in str(refused.value)


def test_a_short_msh_2_takes_the_usual_delimiters_for_the_rest() -> None:
    event = read_event(message().replace(rb"|^~\&|", b"|^~|"), "e")
    assert event.patient.name.given == "Amara"


def test_a_message_without_a_patient_is_refused() -> None:
    with pytest.raises(UnprocessableMessageError, match=r"^the message has no PID segment$"):
        read_event(HEADER + b"\rPV1|1|I\r", "e")


def test_two_messages_in_one_frame_are_refused() -> None:
    with pytest.raises(UnprocessableMessageError, match="second message"):
        read_event(message() + message(), "e")


def test_nothing_about_a_second_patient_is_read_as_the_firsts() -> None:
    event = read_event(
        message(b"OBX|1|TX|||mine", b"PID|2||8^^^N||Brandt", b"OBX|2|TX|||hers"), "e"
    )
    assert [note.text for note in event.notes] == ["mine"]
    assert any(warning.code is WarningCode.SECOND_PATIENT for warning in event.warnings)


MERGE = HEADER.replace(b"A01", b"A40")


def test_a_merge_names_the_others_by_every_prior_identifier_and_of_every_further_pair() -> None:
    event = read_event(
        message(
            b"MRG|008^^^NORTHGEN^MR~X8^^^REGION|A8^^^N||I8^^^N",
            b"PID|2||009^^^NORTHGEN^MR||Brandt",
            b"MRG|010^^^NORTHGEN^MR",
            header=MERGE,
        ),
        "e",
    )
    assert event.changes_identity
    assert [(i.field, i.value) for i in event.patient.identifiers] == [("PID-3", "007")]
    assert [(i.field, i.value) for i in event.other_identifiers] == [
        ("MRG-1", "008"),
        ("MRG-1", "X8"),
        ("MRG-4", "I8"),
        ("MRG-2", "A8"),
        ("PID-3", "009"),
        ("MRG-1", "010"),
    ]
    assert "MRG" not in event.skipped_segments


def test_what_changes_nobodys_identity_names_nobody_else() -> None:
    event = read_event(message(b"MRG|008^^^NORTHGEN^MR", b"PID|2||8^^^N"), "e")
    assert (event.changes_identity, event.other_identifiers) == (False, ())


def test_more_identifiers_than_anybody_merges_are_read_in_part() -> None:
    prior = b"~".join(b"%d^^^N" % number for number in range(MAX_FURTHER_IDENTIFIERS // 10))
    pairs = [b"PID|2||9^^^N", b"MRG|" + prior] * 15
    event = read_event(message(*pairs, header=MERGE), "e")
    assert len(event.other_identifiers) == MAX_FURTHER_IDENTIFIERS


def test_a_message_of_more_merges_than_are_read_is_refused() -> None:
    pairs = [b"PID|2||9^^^N", b"MRG|8^^^N"] * (MAX_GROUPS + 1)
    with pytest.raises(UnprocessableMessageError, match="groups"):
        read_event(message(*pairs, header=MERGE), "e")


def test_a_message_cut_short_is_read_as_far_as_it_goes() -> None:
    event = read_event(HEADER + b"\rPID|1||007^^^NORTHGEN^MR||Oka", "e")
    assert event.patient.name.family == "Oka"
    assert event.patient.identifiers[0].value == "007"


def test_a_line_break_inside_a_note_stays_in_the_note() -> None:
    event = read_event(message(b"OBX|1|TX|||first line\nsecond line\n\nlast line"), "e")
    assert event.notes[0].text == "first line\nsecond line\n\nlast line"


def test_a_line_that_is_no_segment_is_a_warning_that_does_not_quote_it() -> None:
    event = read_event(message(b"Amara Okafor called", b"PV1|1|I"), "e")
    assert event.visit.patient_class == "I"
    assert MessageWarning(WarningCode.CONTINUED_LINES, "PID-5", "2") in event.warnings


def test_segments_that_nothing_reads_are_listed_once() -> None:
    event = read_event(message(b"ZBE|1", b"NK1|1", b"ZBE|2", b"pv1|1|I"), "e")
    assert event.skipped_segments == ("ZBE", "NK1")
    assert event.visit.patient_class == "I"


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", "a|b^c&d~e\\f"),
        (r"one\.br\two\.sp2\three", "one\ntwo\n\nthree"),
        (r"\H\bold\N\ \X41C3A9\ \.in+4\x", "bold Aé x"),
        (r"C:\temp\F\x \Zown\ \X4\ ", r"C:\temp|x \Zown\  "),
        ("no escapes & ^ here", "no escapes & ^ here"),
    ],
)
def test_escape_sequences_are_decoded_and_unknown_ones_stay(sent: str, text: str) -> None:
    raw = message(f"OBX|1|TX|||{sent}".encode()).replace(b"|P|2.5", b"|P|2.5||||||UNICODE UTF-8")
    assert read_event(raw, "e").notes[0].text == text.strip()


def test_more_segments_than_anybody_sends_are_refused() -> None:
    with pytest.raises(UnprocessableMessageError, match="more than 5000 segments"):
        read_event(message(*[b"NK1|1"] * 20_000), "e")


def test_more_identifiers_than_anybody_has_are_left_out_with_a_warning() -> None:
    raw = message().replace(b"007^^^NORTHGEN^MR", b"~".join([b"1^^^N"] * 101))
    event = read_event(raw, "e")
    assert len(event.patient.identifiers) == 100
    assert MessageWarning(WarningCode.TOO_MANY_REPETITIONS, "PID-3", "100") in event.warnings


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (message(), "M1"),
        (message(header=HEADER.replace(b"M1", rb"M^1\T\x")), "M^1&x"),
        (b"\x0b" + HEADER, "M1"),
        (message(header=HEADER.replace(b"^~\\&", b"^\x0b\\&", 1)), "M1"),
        (message(header=HEADER.replace(b"|", b"A")), ""),
        (b"MSH|^~\\&|A", ""),
        (b"MSH|^^^^|A", ""),
        (b"MSH", ""),
        (b"not HL7", ""),
        (b"\xff\xfe\x00", ""),
        (b"", ""),
    ],
)
def test_the_control_id_is_found_wherever_it_can_be(raw: bytes, found: str) -> None:
    assert er7.control_id(raw) == found


def test_nothing_of_a_message_shows_in_a_repr() -> None:
    shown = repr(er7.read(message())) + repr(read_event(message(), "e"))
    for value in ("Okafor", "Amara", "007", "M1", "NORTHGEN", "ADTSYS"):
        assert value not in shown
