"""The receiver's reading of a message: header, event id, group."""

import hashlib
import json

import pytest

from hl7.header import find_header
from hl7.identity import event_id, is_event_code, patient_identifier, trigger_event
from lambdas.common.keys import KeyRing
from receiver.intake.reference_key import ReferenceKey
from receiver.settings import SettingError

MESSAGE = (
    b"MSH|^~\\&|ADTSYS^1.2^ISO|NORTHGEN|HUB|ENS|20261123091502||ADT^A01^ADT_A01|NG-1|P|2.5.1\r"
    b"EVN|A01|20261123091500\r"
    b"PID|1|OLD-2|007^^^NORTHGEN&1.2.3&ISO^MR~555^^^SSA^SS|ALT-4|Zeta^Quill\r"
)


def identify(message: bytes) -> str:
    header = find_header(message)
    assert header is not None
    return event_id(header, "northgen")


def patient(message: bytes) -> tuple[str, str] | None:
    header = find_header(message)
    assert header is not None
    return patient_identifier(header)


def test_the_fields_of_msh_are_counted_as_the_standard_counts_them() -> None:
    header = find_header(MESSAGE)
    assert header is not None
    assert header.leads
    assert header.letterhead.readable
    assert header.letterhead.value(1) == b"|"
    assert header.letterhead.value(2) == b"^~\\&"
    assert header.letterhead.value(3) == b"ADTSYS^1.2^ISO"
    assert header.letterhead.sending_application == "ADTSYS"
    assert header.letterhead.trigger_event == "A01"
    assert header.control_id == b"NG-1"
    assert header.letterhead.value(12) == b"2.5.1"
    assert header.letterhead.value(18) == b""
    assert header.letterhead.part(9, 7) == ""


@pytest.mark.parametrize("lead", [b"", b"\xef\xbb\xbf", b"\r\n", b" ", b"\x00"])
def test_a_byte_order_mark_or_blank_before_msh_is_passed_over(lead: bytes) -> None:
    header = find_header(lead + MESSAGE)
    assert header is not None
    assert header.leads
    assert header.control_id == b"NG-1"


def test_an_msh_behind_damage_is_found_but_does_not_lead() -> None:
    header = find_header(b"xx\rgarbage " + MESSAGE)
    assert header is not None
    assert not header.leads
    assert header.control_id == b"NG-1"


@pytest.mark.parametrize("message", [b"", b"hello", b"MSH", b"MSHA", b"PID|1\r", b"FHS|^~\\&|"])
def test_what_is_not_hl7_has_no_header(message: bytes) -> None:
    assert find_header(message) is None


def test_custom_delimiters_are_read_from_the_message() -> None:
    message = b"MSH$%*@!$APP%x$FAC$$$20260101$$ADT%A04$ID1$P$2.3\rPID$1$$9%%%AA*8%%%BB\r"
    header = find_header(message)
    assert header is not None
    assert header.letterhead.sending_application == "APP"
    assert trigger_event(header) == "A04"
    assert patient_identifier(header) == ("9", "AA")


@pytest.mark.parametrize("encoding", [b"abcd", b"^^~\\&", b"^~\\ &"])
def test_an_msh_2_without_delimiters_is_unreadable_but_still_gives_the_control_id(
    encoding: bytes,
) -> None:
    header = find_header(b"MSH|" + encoding + b"|A|B|C|D|E||ADT^A01|ID7|P|2.3")
    assert header is not None
    assert not header.letterhead.readable
    assert header.control_id == b"ID7"


def test_html_escaped_encoding_characters_are_readable() -> None:
    header = find_header(MESSAGE.replace(b"^~\\&|", b"^~\\&amp;|", 1))
    assert header is not None
    assert header.letterhead.readable
    assert header.letterhead.trigger_event == "A01"


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_segments_may_end_in_cr_lf_or_both(end: bytes) -> None:
    assert patient(MESSAGE.replace(b"\r", end)) == ("007", "NORTHGEN&1.2.3&ISO")


def test_the_trigger_event_of_hl7_2_1_is_in_evn() -> None:
    message = b"MSH|^~\\&|A|B|C|D|E||ADT|1|P|2.1\rEVN|A04|2026\r"
    header = find_header(message)
    assert header is not None
    assert trigger_event(header) == "A04"


@pytest.mark.parametrize(
    ("code", "is_one"),
    [
        ("A01", True),
        ("A99", True),
        ("", False),
        ("R01", False),
        ("A1", False),
        ("A011", False),
    ],
)
def test_an_event_code_is_a_and_two_digits(code: str, is_one: bool) -> None:
    assert is_event_code(code) is is_one


def test_the_event_id_follows_the_written_recipe() -> None:
    without_time = MESSAGE.replace(b"20261123091502", b"")
    digest = hashlib.sha256(without_time).hexdigest()
    parts = ["northgen", "ADTSYS^1.2^ISO", "NORTHGEN", "NG-1", digest]
    recipe = json.dumps(parts, separators=(",", ":"), ensure_ascii=False).encode()
    assert identify(MESSAGE) == hashlib.sha256(recipe).hexdigest()[:32]


@pytest.mark.parametrize("control_id", ['a"b', "a\\b", "a b", "", "\x01", "Ä", "1.2"])
def test_the_recipe_holds_for_any_control_id(control_id: str) -> None:
    message = MESSAGE.replace(b"|NG-1|", b"|" + control_id.encode("latin-1") + b"|")
    digest = hashlib.sha256(message.replace(b"20261123091502", b"")).hexdigest()
    parts = ["northgen", "ADTSYS^1.2^ISO", "NORTHGEN", control_id, digest]
    recipe = json.dumps(parts, separators=(",", ":"), ensure_ascii=False).encode()
    assert identify(message) == hashlib.sha256(recipe).hexdigest()[:32]


def test_the_same_bytes_from_another_sender_are_another_event() -> None:
    """A copy that somebody else sends first must not pass for the original."""
    header = find_header(MESSAGE)
    assert header is not None
    assert event_id(header, "northgen") != event_id(header, "unknown")


def test_a_resend_with_a_new_time_is_the_same_event() -> None:
    assert identify(MESSAGE.replace(b"|20261123091502|", b"|20261123100000.123+0100|")) == identify(
        MESSAGE
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"NG-1", b"NG-2"),
        (b"ADTSYS", b"OTHER"),
        (b"|NORTHGEN|", b"|SOUTHGEN|"),
        (b"Quill", b"Quilt"),
    ],
)
def test_another_sender_control_id_or_content_is_another_event(old: bytes, new: bytes) -> None:
    assert identify(MESSAGE.replace(old, new, 1)) != identify(MESSAGE)


def test_a_header_that_ends_before_its_time_has_an_event_id_too() -> None:
    assert identify(b"MSH|^~\\&|A\r") != identify(b"MSH|^~\\&|A\rPID|1\r")


@pytest.mark.parametrize(
    ("pid", "expected"),
    [
        (b"PID|1|2|3^^^AA~4^^^BB|5", ("3", "AA")),
        (b"PID|1|2|^^^AA~4^^^BB|5", ("4", "BB")),
        (b"PID|1|2^^^CC||5", ("2", "CC")),
        (b"PID|1|||5", ("5", "")),
        (b"PID|1||||Zeta", None),
        (b"PID|1", None),
        (b"PV1|1", None),
        (b"PID|1||0012", ("0012", "")),
    ],
)
def test_the_first_identifier_of_the_patient_is_found(
    pid: bytes, expected: tuple[str, str] | None
) -> None:
    assert patient(b"MSH|^~\\&|A|B\r" + pid + b"\r") == expected


def test_bytes_of_two_character_sets_are_each_read_as_what_they_are() -> None:
    assert patient(b"MSH|^~\\&|A|B\rPID|1||\xe9\xc3\xa9^^^AA\r") == ("\xe9\xe9", "AA")


def test_a_header_hides_its_values() -> None:
    assert "ADTSYS" not in repr(find_header(MESSAGE))


def test_the_receiver_makes_references_as_the_steps_do() -> None:
    secret = json.dumps({"current": "k2", "k1": "old", "k2": "new"})
    parts = ("group", "NORTHGEN", "007", "\xe9")
    assert ReferenceKey.from_secret(secret).reference(*parts) == KeyRing.from_secret(
        secret
    ).reference(*parts)


@pytest.mark.parametrize("secret", ["", "[]", "{}", '{"current":"k1"}', '{"current":"k1","k1":1}'])
def test_a_malformed_key_secret_is_a_setting_error(secret: str) -> None:
    with pytest.raises(SettingError, match="ENS_REFERENCE_KEY_SECRET"):
        ReferenceKey.from_secret(secret)
