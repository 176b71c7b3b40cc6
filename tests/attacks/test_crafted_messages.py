"""One message is made so that a step works for minutes on it, or fails each time it is tried."""

import base64
import time

import pytest

from hl7.er7 import MAX_ESCAPES, Er7Error, read
from hl7.header import find_header
from hl7.identity import event_id, patient_identifier
from lambdas.common.errors import UnprocessableMessageError
from lambdas.parse_message.read_event import read_event
from lambdas.parse_message.segments.documents import MAX_DOCUMENTS
from tests.functional.receiver.world import ReceiverWorld, adt

SIZE = 1 << 20
HEADER = b"MSH|^~\\&|ADTSYS|NORTHGEN|||20261126||ADT^A01|1|P|2.5.1"
PATIENT = b"\rEVN|A01\rPID|1||1^^^A||Quillfeather^Zeta"
START = HEADER + PATIENT


def document(content: bytes) -> bytes:
    return b"\rOBX|1|ED|x||^text^html^Base64^%b||||||F" % base64.b64encode(content)


CRAFTED = {
    "one undefined byte": START + b"\rNTE|1||" + b"x" * SIZE + b"\x81",
    "undefined bytes": START + b"\rNTE|1||" + b"\x81" * SIZE,
    "UTF-8 mixed with other bytes": START + b"\rNTE|1||" + b"\xc3\xa9\x81" * (SIZE // 3),
    "first bytes of UTF-8": START + b"\rNTE|1||" + b"\xc3" * SIZE,
    "escape sequences": START + b"\rNTE|1||" + b"\\T\\" * 100_000,
    "one long hexadecimal escape": START + b"\rNTE|1||\\X" + b"41" * (SIZE // 2) + b"\\",
    "an escape of digits": START + b"\rNTE|1||\\.sp" + b"9" * SIZE + b"\\",
    "HTML in punycode": START + document(b"<html><meta charset=punycode>" + b"a-b" * 300_000),
    "HTML of open tags": START + document(b"<html>" + b"<" * 700_000),
    "RTF of open groups": START + document(b"{\\rtf " + b"{" * 700_000),
    "empty documents": START + b"\rOBX|1|ED|x||" + b"~".join([b"^^^^x"] * 90_000),
    "segments": START + b"\rZZZ|1" * 4900,
    "diagnoses": START + b"\rDG1|1||A^b" * 4900,
    "identifiers": START.replace(b"1^^^A", b"~".join([b"1^^^A"] * 50_000)),
    "fields": START + b"\rPV1" + b"|" * SIZE,
    "components": START + b"\rPV1|1|I|" + b"^" * SIZE,
    "a set identifier of digits": START + b"\rOBX|" + b"9" * 10_000 + b"|TX|x||a",
    "a date of digits": START + b"||" + b"9" * SIZE,
    "ISO 2022 sequences": START + b"\rNTE|1||" + b"\x1b(B" * (SIZE // 3),
    "ISO 2022 sequences before Latin letters": START + b"\rNTE|1||" + b"\x1b(B\xe9" * (SIZE // 4),
    "HTML escapes of HTML escapes": START.replace(b"&|", b"&amp;|")
    + b"\rNTE|1||"
    + b"&amp;" * (SIZE // 5),
}


@pytest.mark.cpu_bound
@pytest.mark.parametrize("name", CRAFTED)
def test_a_crafted_message_is_read_within_the_step_s_time(name: str) -> None:
    """ParseMessage has 20 s and about a fifth of this machine's core."""
    began = time.process_time()
    read_event(CRAFTED[name], "e")
    assert time.process_time() - began < 3


@pytest.mark.cpu_bound
@pytest.mark.parametrize("name", CRAFTED)
def test_the_receiver_finds_sender_event_and_patient_of_it_in_a_fraction_of_a_second(
    name: str,
) -> None:
    began = time.process_time()
    header = find_header(CRAFTED[name])
    assert header is not None
    event_id(header, "northgen")
    patient_identifier(header)
    assert time.process_time() - began < 1


def test_a_message_of_escape_characters_is_rejected_by_receiver_and_step_alike(
    world: ReceiverWorld,
) -> None:
    hostile = adt("1", more=b"NTE|1||" + b"\\" * (MAX_ESCAPES + 1))
    with world.connect() as attacker:
        assert attacker.ask(hostile) == "AR 1"
    with pytest.raises(Er7Error, match="escape characters"):
        read(hostile)
    with pytest.raises(UnprocessableMessageError, match="escape characters"):
        read_event(hostile, "e")


def test_documents_beyond_the_limit_are_one_line_of_the_event() -> None:
    sent = b"".join(b"\rOBX|1|ED|x||" + b"~".join([b"^^^^x"] * 100) for _ in range(30))
    event = read_event(START + sent, "e")
    assert len(event.notes) + len(event.skipped_notes) <= MAX_DOCUMENTS + 1
