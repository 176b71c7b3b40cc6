"""Character sets: every name that senders write, labels that the bytes contradict, sets that switch."""

import codecs

import pytest

from hl7.charset import MIXED, codec_of, decode
from hl7.header import find_header
from hl7.identity import patient_identifier
from hl7.tables import CHARACTER_SETS
from hl7.warnings import MessageWarning, WarningCode
from lambdas.parse_message.read_event import read_event


def message(declared: str, name: bytes) -> bytes:
    header = f"MSH|^~\\&|H|E|||20270105||ADT^A01|1|P|2.5||||||{declared}\r".encode()
    return header + b"EVN|A01\rPID|1||E-1^^^EAST||" + name + b"^A\rPV1|1|I\r"


def family(declared: str, name: bytes) -> str:
    return read_event(message(declared, name), "e").patient.name.family


def codes(declared: str, name: bytes) -> set[WarningCode]:
    return {
        one.code
        for one in read_event(message(declared, name), "e").warnings
        if one.position == "MSH-18"
    }


@pytest.mark.parametrize("name", CHARACTER_SETS)
def test_every_name_of_the_table_is_known_also_without_its_blanks_and_signs(name: str) -> None:
    codec = codec_of(name)
    codecs.lookup(codec)
    for spelling in (name.lower(), name.replace(" ", "_"), name.replace("/", "-"), f" {name} "):
        assert codec_of(spelling) == codec


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        *((f"ISO-8859-{part}", f"iso8859-{part}") for part in (1, 2, 5, 7, 9, 15)),
        *((name, "utf-8") for name in ("UTF-8", "utf8", "UNICODE UTF8", "Unicode UTF_8", "UTF 8")),
        *((name, "cp1252") for name in ("WINDOWS-1252", "cp1252", "Win1252", "ANSI")),
        *((name, "iso8859-1") for name in ("ISO8859/1", "ISO 8859-1", "LATIN1", "ISO_IR 100")),
        *((name, "cp932") for name in ("SHIFT_JIS", "Shift-JIS", "MS932", "Windows-31J")),
        *((name, "euc_kr") for name in ("KS X 1001", "KSX1001", "EUC-KR", "KS C 5601")),
        *((name, "") for name in ("KOI9", "8859/12", "8859/99", "x", "CP12", "punycode", "rot13")),
    ],
)
def test_names_seen_in_practice_are_known_and_others_are_not(declared: str, codec: str) -> None:
    assert codec_of(declared) == codec


@pytest.mark.parametrize(
    ("declared", "codec", "name"),
    [
        ("ISO-8859-7", "iso8859-7", "Παπαδόπουλος"),
        ("8859/5", "iso8859-5", "Иванов"),
        ("8859/2", "iso8859-2", "Škoda"),
        ("Shift_JIS", "cp932", "ソニー表"),
        ("EUC-JP", "euc_jp", "山田"),
        ("GBK", "gbk", "乃木"),
        ("BIG5", "big5", "許功蓋"),
        ("KS X 1001", "euc_kr", "김"),
        ("WINDOWS-1251", "cp1251", "Петров"),
        ("WINDOWS-1250", "cp1250", "Žižka"),
    ],
)
def test_a_name_keeps_its_letters_under_its_label(declared: str, codec: str, name: str) -> None:
    raw = message(declared, name.encode(codec))
    event, header = read_event(raw, "e"), find_header(raw)
    assert (event.patient.name.family, event.patient.name.given) == (name, "A")
    assert not [one for one in event.warnings if one.position == "MSH-18"]
    assert header is not None
    assert patient_identifier(header) == ("E-1", "EAST")


@pytest.mark.parametrize("declared", ["8859/1", "8859/15", "ISO-8859-2", "WINDOWS-1252", "8859/5"])
@pytest.mark.parametrize("name", ["Øystein", "Dvořák", "Ångström", "Đặng"])
def test_utf_8_under_the_label_of_a_set_of_one_byte_is_read_as_utf_8(
    declared: str, name: str
) -> None:
    assert family(declared, name.encode()) == name
    assert codes(declared, name.encode()) == {
        WarningCode.CHARACTER_SET_WRONG,
        WarningCode.CHARACTER_SET_ASSUMED,
    }


@pytest.mark.parametrize("declared", ["", "UNICODE UTF-8", "ASCII", "KOI9"])
def test_latin_letters_that_are_not_utf_8_are_read_as_windows_1252(declared: str) -> None:
    assert family(declared, "Müller–Šimek".encode("cp1252")) == "Müller–Šimek"


@pytest.mark.parametrize(
    ("declared", "codec"),
    [("8859/1", "cp1252"), ("8859/15", "cp1252"), ("8859/2", "cp1250"), ("8859/9", "cp1254")],
)
def test_windows_letters_under_an_iso_label_are_read_as_meant(declared: str, codec: str) -> None:
    assert family(declared, "O’Neill".encode(codec)) == "O’Neill"


def test_texts_of_two_systems_in_one_message_are_each_read() -> None:
    found = decode("Dvořák".encode() + b" " + "Müller".encode("latin-1"), "")
    assert (found.text, found.codec) == ("Dvořák Müller", MIXED)


@pytest.mark.parametrize(
    ("declared", "name", "text"),
    [
        ("~ISO IR87", b"\x1b$B;3ED\x1b(B", "山田"),
        ("8859/1~ISO IR87", b"M\xfcller \x1b$B;3ED\x1b(B", "Müller 山田"),
        ("ISO IR6~ISO IR87", b"Yamada \x1b$@;3ED\x1b(J Taro", "Yamada 山田 Taro"),
        ("", b"\x1b$B;3ED\x1b(B", "山田"),
        ("8859/1~KS X 1001", b"\x1b$)C\xb1\xe8", "김"),
        ("~ISO IR58", b"\x1b$)A\xcd\xf5", "王"),
        ("~8859/5", b"Ivanov \x1b-L\xb8\xd2", "Ivanov Ив"),
        ("~8859/7", b"\x1b-F\xd0", "Π"),
        ("~ISO IR159", b"\x1b$(D0!\x1b(B", "丂"),
        ("~ISO IR13", b"\x1b)I\xd4\xcf\xc0\xde", "ﾔﾏﾀﾞ"),
    ],
)
def test_sets_that_escape_sequences_switch_to_are_followed(
    declared: str, name: bytes, text: str
) -> None:
    raw = message(declared, name)
    event, header = read_event(raw, "e"), find_header(raw)
    assert (event.patient.name.family, event.patient.name.given) == (text, "A")
    assert header is not None
    assert patient_identifier(header) == ("E-1", "EAST")


def test_an_undeclared_switch_is_a_warning() -> None:
    found = read_event(message("", b"\x1b$B;3ED\x1b(B"), "e").warnings
    assert MessageWarning(WarningCode.CHARACTER_SET_ASSUMED, "MSH-18", "ISO 2022") in found


@pytest.mark.parametrize("declared", ["JAS2020", "JIS X 0202"])
def test_a_japanese_set_of_the_table_is_no_undeclared_switch(declared: str) -> None:
    name = b"\x1b$B;3ED\x1b(B"
    assert (family(declared, name), codes(declared, name)) == ("山田", set())


def test_a_delimiters_byte_inside_a_switched_character_separates_nothing() -> None:
    # U+6B4C is 0x32 0x4E, U+6C37 0x49 0x39; 0x7C and 0x5E occur in 0x3E7C and 0x5E30.
    raw = message("", b"\x1b$B>|^0\x1b(B")
    assert read_event(raw, "e").patient.name.given == "A"
