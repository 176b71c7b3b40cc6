from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.contracts.document import read_as, to_document
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.notes import Markup, Note, Skipped, SkippedReason
from lambdas.parse_message.read_event import read_event

HEADER = "MSH|^~\\&|A|B|||20261123||ADT^A01|1|P|2.5.1|||||||"


def event_of(*segments: str, header: str = HEADER, document_bytes: int = 1_000_000) -> PatientEvent:
    raw = "\r".join((header, "PID|1||1", *segments)).encode()
    return read_event(raw, "e", document_bytes=document_bytes)


def encoded(data: str | bytes) -> str:
    return b64encode(data.encode() if isinstance(data, str) else data).decode()


def obx(*values: str) -> str:
    return f"OBX|1|ED|||{'~'.join(values)}"


@pytest.mark.parametrize(
    ("declared", "text", "markup"),
    [
        ("^TEXT^^Base64^", "Has gout.", "text"),
        ("^text^plain^Base64^", "Has gout.", "text"),
        ("^text/plain^^base64^", "Has gout.", "text"),
        ("EHR&1.2.3&ISO^TX^^BASE64^", "Has gout.", "text"),
        ("^^^Base64^", "Has gout.", "text"),
        ("^TEXT^RTF^Base64^", "{\\rtf1 Has gout.}", "rtf"),
        ("^application^rtf^Base64^", "{\\rtf1 Has gout.}", "rtf"),
        ("^AP^Octet-stream^Base64^", "{\\rtf1 Has gout.}", "rtf"),
        ("^TEXT^HTML^Base64^", "<p>Has gout.</p>", "html"),
        ("^multipart^x-hl7^Base64^", "<!DOCTYPE HTML><p>Has gout.</p>", "html"),
    ],
)
def test_a_document_of_text_is_read_whatever_the_sender_calls_it(
    declared: str, text: str, markup: str
) -> None:
    event = event_of(obx(declared + encoded(text)))
    assert event.notes == (Note("OBX[1]-5", text, Markup(markup)),)
    assert event.skipped_notes == ()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("^AP^PDF^Base64^" + encoded("%PDF-1.7 x"), "pdf"),
        ("^TEXT^plain^Base64^" + encoded("%PDF-1.7 x"), "pdf"),
        ("^application^pdf^Base64^" + encoded("no signature"), "pdf"),
        ("^IM^JPEG^Base64^" + encoded(b"\xff\xd8\xff\xe0"), "image"),
        ("^TEXT^^Base64^" + encoded(b"\x89PNG\r\n"), "image"),
        ("^application^msword^Base64^" + encoded(b"PK\x03\x04"), "other"),
        ("^text^xml^Base64^" + encoded("<?xml version='1.0'?><ClinicalDocument/>"), "other"),
        ("^AP^Octet-stream^Base64^" + encoded("who knows"), "other"),
        ("^TEXT^^Base64^" + encoded(b"\x00\x01\x02"), "other"),
        ("^TEXT^RTF^Base64^" + encoded("not RTF at all"), "other"),
        ("^TEXT^^Base64^what?", "damaged"),
        ("^TEXT^^Base64^AAAAA", "damaged"),
        ("^TEXT^^Hex^0G", "damaged"),
    ],
)
def test_any_other_document_is_named_as_not_read(value: str, reason: str) -> None:
    event = event_of(obx(value))
    assert (event.notes, event.skipped_notes) == ((), (Skipped("OBX[1]-5", SkippedReason(reason)),))


def test_a_pointer_to_a_document_elsewhere_is_named_and_not_followed() -> None:
    event = event_of("OBX|1|RP|||http://intranet.example/x^host&1.2&ISO^TEXT^RTF")
    assert event.skipped_notes == (Skipped("OBX[1]-5", SkippedReason.POINTER),)


@pytest.mark.parametrize("value", ["", "^TEXT^^Base64^", '""', "^^^^"])
def test_an_empty_document_is_nothing(value: str) -> None:
    event = event_of(obx(value))
    assert (event.notes, event.skipped_notes) == ((), ())


@pytest.mark.parametrize("between", ["\\.br\\", "\\X0D\\\\X0A\\", "\n", "\\.br\\\n "])
def test_base64_that_the_sender_broke_into_lines_is_one_document(between: str) -> None:
    data = encoded("Has gout. Denies fever. Takes colchicine.")
    broken = between.join(data[start : start + 16] for start in range(0, len(data), 16))
    event = event_of(obx("^TEXT^^Base64^" + broken))
    assert event.notes[0].text == "Has gout. Denies fever. Takes colchicine."


def test_lost_padding_is_repaired() -> None:
    event = event_of(obx("^TEXT^^Base64^" + encoded("gout").rstrip("=")))
    assert event.notes[0].text == "gout"


def test_text_that_is_not_encoded_has_its_escapes_decoded() -> None:
    event = event_of(obx("^TEXT^^A^K 5.1 \\T\\ Na 139\\.br\\2^3 beds"))
    assert event.notes[0].text == "K 5.1 & Na 139\n2^3 beds"


def test_a_hexadecimal_document_is_read() -> None:
    assert event_of(obx("^TEXT^^Hex^" + b"gout".hex())).notes[0].text == "gout"


@pytest.mark.parametrize(
    ("data", "declared", "text"),
    [
        ("fièvre".encode(), "^TEXT^^Base64^", "fièvre"),
        ("\ufefffièvre".encode(), "^TEXT^^Base64^", "fièvre"),
        ("fièvre".encode("cp1252"), "^TEXT^^Base64^", "fièvre"),
        ("fièvre".encode("utf-16"), "^TEXT^^Base64^", "fièvre"),
        ("čaj".encode("iso8859-2"), "^TEXT^^Base64^", "čaj"),
        (
            '<html><meta charset="iso-8859-2">čaj'.encode("iso8859-2"),
            "^TEXT^HTML^Base64^",
            '<html><meta charset="iso-8859-2">čaj',
        ),
        (b'<html><meta charset="x-none">gout', "^TEXT^HTML^Base64^", None),
    ],
)
def test_a_documents_character_set_is_found(data: bytes, declared: str, text: str | None) -> None:
    part_2 = "8859/2" if text and text.startswith("č") else ""
    event = event_of(obx(declared + encoded(data)), header=HEADER.rstrip("|") + "||||||" + part_2)
    assert event.notes[0].text == (data.decode("ascii") if text is None else text)


def test_documents_above_the_size_that_is_taken_are_named_and_the_others_read() -> None:
    big, small = encoded("x " * 50), encoded("gout")
    event = event_of(obx(f"^TEXT^^Base64^{big}", f"^TEXT^^Base64^{small}"), document_bytes=60)
    assert event.skipped_notes == (Skipped("OBX[1]-5[1]", SkippedReason.TOO_LARGE),)
    assert event.notes == (Note("OBX[1]-5[2]", "gout"),)


def test_documents_and_notes_keep_the_messages_order() -> None:
    event = event_of(
        "OBX|1|TX|||first",
        "OBX|2|ED|||^TEXT^^Base64^" + encoded("second"),
        "NTE|1||third",
        "OBX|3|ED|||^TEXT^RTF^Base64^" + encoded("{\\rtf1 fourth}"),
    )
    assert [note.field for note in event.notes] == ["OBX[1]-5", "OBX[2]-5", "NTE[1]-3", "OBX[3]-5"]


def test_a_withdrawn_document_is_not_read() -> None:
    event = event_of("OBX|1|ED|||^TEXT^^Base64^" + encoded("wrong patient") + "||||||W")
    assert (event.notes, event.skipped_notes) == ((), ())


def test_base64_in_a_field_for_text_is_read_as_the_document_that_it_is() -> None:
    rtf = "{\\rtf1 " + "Has gout. " * 30 + "}"
    assert event_of("OBX|1|TX|||" + encoded(rtf)).notes == (Note("OBX[1]-5", rtf, Markup.RTF),)


def test_a_list_of_single_words_is_not_taken_for_base64() -> None:
    words = "\\.br\\".join(["aspirin", "metformin", "lisinopril"] * 12)
    assert event_of("OBX|1|TX|||" + words).notes[0].text.startswith("aspirin\nmetformin")


@pytest.mark.parametrize(
    ("declared", "language"),
    [("en", "en"), ("EN-CA^English^ISO639", "en"), ("fra^French^ISO639", "fra"), ("English", "")],
)
def test_the_messages_language_is_read_from_msh_19(declared: str, language: str) -> None:
    header = HEADER.rstrip("|") + "|" * 7 + declared
    assert event_of(header=header).language == language


@given(st.binary(max_size=400), st.sampled_from(["", "TEXT", "RTF", "HTML", "PDF"]))
def test_no_document_stops_a_message(data: bytes, subtype: str) -> None:
    event = event_of(obx(f"^TEXT^{subtype}^Base64^{encoded(data)}"))
    assert len(event.notes) + len(event.skipped_notes) <= 1


@given(st.text(alphabet=st.characters(exclude_characters="\r\n\x0b\x1c|~"), max_size=200))
def test_no_value_of_a_document_field_stops_a_message(value: str) -> None:
    event = event_of(f"OBX|1|ED|||{value}".encode(errors="replace").decode())
    assert read_as(PatientEvent, to_document(event)) == event
