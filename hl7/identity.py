"""The values that identify event and patient: trigger event, event id, patient identifier.

Receiver and ParseMessage call these functions on the same bytes, so they always agree on the patient.
"""

import hashlib
import re
from functools import lru_cache

from hl7.header import MAX_REPETITIONS, TRAILING, Header, compact_json, nth, value_text
from hl7.segmentation import first_cut, regular_patient

_MAX_COPIED_BYTES = 8192
_EVENT_CODE = re.compile(r"A\d\d", re.ASCII)


def trigger_event(header: Header) -> str:
    """MSH-9.2; EVN-1 when an ADT message has MSH-9.1 alone, as in HL7 2.1. Upper case; "" for none."""
    letterhead = header.letterhead
    if letterhead.trigger_event or letterhead.message_type not in ("", "ADT"):
        return letterhead.trigger_event
    evn = _field(first_segment(header, b"EVN"), 1)
    first = evn.split(letterhead.delimiters.repetition, 1)[0]
    return value_text(nth(first, letterhead.delimiters.component, 1), header).strip().upper()


@lru_cache(maxsize=256)
def is_event_code(code: str) -> bool:
    """Whether the code has the form of an ADT event: `A` and two digits."""
    return _EVENT_CODE.fullmatch(code) is not None


def event_id(header: Header, sender: str) -> str:
    """Returns the patient event's id, which is the same for every copy of a sender's message.

    The first 32 hex digits of SHA-256 over the JSON array of the authenticated sender's name, MSH-3,
    MSH-4, MSH-10 and the SHA-256 of the message without MSH-7's bytes (senders stamp a resend anew).
    Because of the name, another sender's copy of the same bytes has another id.
    """
    message = header.message
    before = header.start + header.letterhead.bytes_before_sent_at
    after = before + len(header.sent_at)
    if len(message) <= _MAX_COPIED_BYTES:  # a copy is faster than two updates
        digest = hashlib.sha256(message[:before] + message[after:])
    else:
        digest = hashlib.sha256(memoryview(message)[:before])
        digest.update(memoryview(message)[after:])
    control_id = header.control_id.decode("latin-1")
    # Nearly every MSH-10 needs no escaping in JSON; writing it directly takes a third of the time.
    written = f'"{control_id}"' if control_id.isalnum() else compact_json(control_id)
    parts = (
        f'[{compact_json(sender)},{header.letterhead.identity},{written},"{digest.hexdigest()}"]'
    )
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


def patient_identifier(header: Header) -> tuple[str, str] | None:
    """Returns the patient's identifier and its assigning authority, for the message group; None without one.

    The first id in PID-3, else in PID-2, else in PID-4; the authority is the whole of its component 4.
    """
    pid, delimiters = first_segment(header, b"PID"), header.letterhead.delimiters
    for number in (3, 2, 4):
        field_bytes = _field(pid, number)
        if not field_bytes:
            continue
        for identifier in field_bytes.split(delimiters.repetition, MAX_REPETITIONS)[
            :MAX_REPETITIONS
        ]:
            components = identifier.split(delimiters.component, 4)
            value = value_text(components[0], header)
            if value:
                return value, value_text(components[3], header) if len(components) > 3 else ""
    return None


def first_segment(header: Header, name: bytes) -> list[bytes]:
    """The first six fields of the first EVN or PID, its name first; empty for none."""
    message, separator = header.message, header.letterhead.delimiters.field
    if name == b"PID":
        end = message[header.end : header.end + 2]
        end = end if end == b"\r\n" else end[:1]
        if found := regular_patient(separator, end).match(message, header.end):
            return found[1].split(separator, 5)
    raw = first_cut(message, header.start, separator, name.decode()).raw.encode("latin-1")
    return raw.rstrip(TRAILING).split(separator, 5) if raw else []


def _field(segment: list[bytes], number: int) -> bytes:
    return segment[number] if number < len(segment) else b""
