"""Messages that a gateway escaped as a whole, and escape sequences in every form."""

import html
import json

import pytest

from hl7.acknowledgement import acknowledge
from hl7.delimiters import STANDARD
from hl7.escapes import STANDARD_ESCAPES, Escapes
from hl7.header import find_header
from hl7.identity import patient_identifier
from hl7.warnings import MessageWarning, WarningCode
from lambdas.parse_message.read_event import read_event

PLAIN = (
    "MSH|^~\\&|H|E|||20270105||ADT^A01|E-80|P|2.5.1||||||{}\r"
    "EVN|A01\r"
    "PID|1||E-1^^^EAST&1.2.3&ISO||D'Arcy & Søn^Ann||19440317|F\r"
    "PV1|1|I\r"
    'PV2|||^pain > 3 days, "sharp" \\T\\ worse\\.br\\since < noon\r'
)


def same(raw: str, code: WarningCode) -> None:
    event, plain = (
        read_event(raw.encode(), "e"),
        read_event(PLAIN.format("UNICODE UTF-8").encode(), "e"),
    )
    assert event.patient == plain.patient
    assert event.visit == plain.visit
    assert MessageWarning(code, "MSH-2") in event.warnings
    header = find_header(raw.encode())
    assert header is not None
    assert patient_identifier(header) == ("E-1", "EAST&1.2.3&ISO")
    answer = acknowledge(header).message
    assert answer is not None
    assert b"MSA|AA|E-80" in answer


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("quote", [True, False])
def test_a_message_that_was_html_escaped_is_unescaped_as_a_whole(times: int, quote: bool) -> None:
    raw = PLAIN.format("UNICODE UTF-8")
    for _ in range(times):
        raw = html.escape(raw, quote=quote)
    same(raw, WarningCode.DELIMITERS_ESCAPED)


def test_numeric_and_named_references_are_unescaped_too() -> None:
    raw = (
        html.escape(PLAIN.format("UNICODE UTF-8")).replace("ø", "&oslash;").replace("\r", "&#xD;\r")
    )
    same(raw, WarningCode.DELIMITERS_ESCAPED)


def test_a_message_that_was_escaped_as_a_string_is_read_with_single_backslashes() -> None:
    raw = json.dumps(PLAIN.format("UNICODE UTF-8"), ensure_ascii=False)[1:-1].replace("\\r", "\r")
    same(raw, WarningCode.DELIMITERS_DOUBLED)


def test_a_reference_in_a_message_that_was_not_escaped_is_text() -> None:
    raw = PLAIN.format("").replace("worse", "a &lt; b")
    assert "a &lt; b" in read_event(raw.encode(), "e").visit.reason.text


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("a\\f\\b\\S\\c\\t\\d\\r\\e\\E\\f", "a|b^c&d~e\\f"),
        ("a\\.BR\\b\\.Br\\c", "a\nb\nc"),
        ("a\\x0d\\\\x0A\\b\\X0D0A\\c\\XA\\d", "a\nb\nc\nd"),
        ("a\\X0000\\b\\X00\\c\\x07\\d", "abcd"),
        ("a\\X00E9\\b\\xC3A9\\c", "aéb" + "éc"),
        ("a\\X\\b\\x123\\c", "ab#c".replace("#", "\x01#")),
        ("\\h\\bold\\N\\ \\.sk 3\\x\\.SP2\\y", "bold    x\n\ny"),
        ("\\.sp9999\\x\\.sk9999\\y", "\n" * 10 + "x" + " " * 10 + "y"),
        ("\\C2842\\a\\M2442\\b\\M244201\\c", "abc"),
        ("C:\\temp\\new \\Zown\\", "C:\\temp\\new \\Zown\\"),
        ("a\x00b\x07c\x1bd\x7fe\x0bf\x85g", "abcde\nf\ng"),
    ],
)
def test_escape_sequences_in_every_form_leave_no_control_character(sent: str, text: str) -> None:
    found = STANDARD_ESCAPES.decode(sent)
    assert found == text.replace("\x01", "")
    assert not [c for c in found if not c.isprintable() and c not in "\n\t"]


def test_a_long_sequence_is_decoded_in_linear_time() -> None:
    assert len(Escapes(STANDARD).decode("\\X" + "41" * 500_000 + "\\")) == 500_000
