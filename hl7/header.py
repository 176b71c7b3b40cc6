"""MSH and the facts that sender, event and patient are known by, read from a message's bytes.

Receiver and ParseMessage call these functions on the same bytes, so that they cannot differ in whom a
message comes from or whom it is about. Positions are the standard's: MSH-1 is the field separator
(HL7 v2.9, 2.14.9). Values are bytes as sent; texts have their escape sequences decoded.
"""

import hashlib
import json
import re
import string
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from hl7 import charset
from hl7.delimiters import PUNCTUATION, STANDARD, Delimiters, read_delimiters
from hl7.escapes import Escapes

NULL = b'""'
"""HL7's "delete this value" (v2.9, 2.5.3): for a reader as good as nothing."""

TRAILING = b"\x0b\x1c\x00\r\n"
"""Bytes behind a message that are no part of it: framing that was sent twice, padding, empty lines."""

_MAX_MSH_FIELDS = 25
_MAX_CACHED_BYTES = 1024
# How far a damaged message is searched for an MSH that says whom to answer.
_SEARCHED_BYTES = 64 * 1024
_MSH = rb"((?i:MSH))[%b]" % re.escape(string.punctuation.encode())
_ANY_MSH = re.compile(_MSH)
_LEADING_MSH = re.compile(rb"[\xef\xbb\xbf\x0b\x1c\x00 \t\r\n]*" + _MSH)
_EVENT_CODE = re.compile(r"A\d\d", re.ASCII)

compact_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""A value as JSON without a blank: the form that is hashed."""


class Letterhead:
    """What a sender's messages share: MSH without MSH-7 and MSH-10, read once for all of them.

    `fields` is MSH as sent with those two emptied. `cached` says that it is in the cache, and that
    a value made of it may be cached too. Two are equal only when they are the same object.
    """

    def __init__(
        self, fields: tuple[bytes, ...], *, transcoded: bool = False, cached: bool = False
    ) -> None:
        separator = fields[0]
        self.cached = cached
        self.fields = fields
        named, self.repairs = read_delimiters(separator, fields[1] if len(fields) > 1 else b"")
        self.readable = named is not None
        """Whether MSH-1 and MSH-2 name the delimiters."""
        self.delimiters = named or Delimiters(field=separator)
        self.bytes_before_sent_at = len(b"MSH|") + sum(len(value) + 1 for value in fields[1:6])
        self.declared_character_sets = tuple(
            repetition.split(self.delimiters.component, 1)[0].strip().decode("latin-1")
            for repetition in self.value(18).split(self.delimiters.repetition)
        )
        self.wide_codec = charset.wide_codec(self.declared_character_sets)
        """The codec by which the message must be transcoded before it is cut; "" for most."""
        # Bytes that could not be transcoded are not in the set that MSH-18 declares.
        self.character_set = "" if self.wide_codec else self.declared_character_sets[0]
        self._transcoded = transcoded
        self.accept_acknowledgement = self.value(15).strip()
        self.application_acknowledgement = self.value(16).strip()

    @cached_property
    def message_type(self) -> str:
        """MSH-9.1 in upper case."""
        return self.part(9).strip().upper()

    @cached_property
    def trigger_event(self) -> str:
        """MSH-9.2 in upper case; "" in HL7 2.1, where MSH-9 is the message type alone."""
        return self.part(9, 2).strip().upper()

    @cached_property
    def processing_id(self) -> str:
        """MSH-11.1 in upper case: some senders write `p`."""
        return self.part(11).strip().upper()

    @cached_property
    def sending_application(self) -> str:
        """MSH-3.1, its subcomponents included: a sender is known by all of it or not at all."""
        return self.part(3)

    @cached_property
    def sending_facility(self) -> str:
        """MSH-4.1, its subcomponents included."""
        return self.part(4)

    @cached_property
    def identity(self) -> tuple[str, str]:
        """MSH-3 and MSH-4 byte for byte, as the event id is made of."""
        return self.value(3).decode("latin-1"), self.value(4).decode("latin-1")

    def value(self, number: int) -> bytes:
        """MSH-`number` as sent; empty when the segment ends before it."""
        return self.fields[number - 1] if number <= len(self.fields) else b""

    def part(self, number: int, component: int = 1) -> str:
        """A component of MSH-`number`'s first repetition as text; "" when it is not there or null."""
        first = self.value(number).split(self.delimiters.repetition, 1)[0]
        raw = nth(first, self.delimiters.component, component)
        if raw == NULL:
            return ""
        value = charset.decode(raw, charset.UTF_8 if self._transcoded else self.character_set)
        return Escapes(self.delimiters, value.codec).decode(value.text)


@dataclass(slots=True)  # not frozen: one is made for each message, and freezing doubles the time
class Header:
    """A message's MSH segment: where it begins, MSH-7, MSH-10, and what it shares with others.

    `message` is what positions refer to: the bytes as received, or transcoded to UTF-8 from
    `wide_codec`. `leads` is False for an MSH found behind something else: enough to answer by, not to
    store by.
    """

    message: bytes = field(repr=False)
    start: int
    leads: bool
    sent_at: bytes = field(repr=False)
    control_id: bytes = field(repr=False)
    letterhead: Letterhead = field(repr=False)
    wide_codec: str = ""


def find_header(message: bytes) -> Header | None:
    """The message's MSH, or one behind damage at its start; None when there is none.

    A message in UTF-16, UTF-32 or a character set whose characters contain delimiters is transcoded
    first. One that is not in the set that it declares is read as it stands.
    """
    if not message.startswith(b"MSH"):
        codec = charset.marked_codec(message)
        if codec:
            return _transcoded(message, codec)
    header = _find(message)
    if header and header.letterhead.wide_codec:
        return _transcoded(message, header.letterhead.wide_codec) or header
    return header


def _transcoded(message: bytes, codec: str) -> Header | None:
    try:
        header = _find(message.decode(codec).encode(), transcoded=True)
    except UnicodeError:
        return None
    if header:
        header.wide_codec = codec
    return header


def _find(message: bytes, *, transcoded: bool = False) -> Header | None:
    start, leads = _start_of_msh(message)
    if start < 0:
        return None
    segment = message[start : segment_end(message, start)]
    separator = segment[3:4]
    fields = segment.split(separator, _MAX_MSH_FIELDS)
    fields[0] = separator
    sent_at = control_id = b""
    if len(fields) > 9:
        control_id, fields[9] = fields[9], b""
    if len(fields) > 6:
        sent_at, fields[6] = fields[6], b""
    if len(segment) <= _MAX_CACHED_BYTES:
        letterhead = _letterhead(tuple(fields), transcoded)
    else:  # longer than any true MSH
        letterhead = Letterhead(tuple(fields), transcoded=transcoded)
    return Header(message, start, leads, sent_at, control_id, letterhead)


def _start_of_msh(message: bytes) -> tuple[int, bool]:
    """Where MSH begins, and whether nothing but blanks and marks stands before it; -1 for nowhere."""
    if message.startswith(b"MSH") and message[3:4] in PUNCTUATION:
        return 0, True  # nearly every message
    if found := _LEADING_MSH.match(message):
        return found.start(1), True
    found = _ANY_MSH.search(message, 0, _SEARCHED_BYTES)
    return (found.start(1), False) if found else (-1, False)


@lru_cache(maxsize=1024)
def _letterhead(fields: tuple[bytes, ...], transcoded: bool) -> Letterhead:
    return Letterhead(fields, transcoded=transcoded, cached=True)


def decoded(header: Header) -> charset.Decoded:
    """The message as text, its codec being the one in which the sender wrote it."""
    if not header.wide_codec:
        return charset.decode(header.message, header.letterhead.character_set)
    # UTF-8 of our own making: it is what the sender wrote, whichever bytes those were.
    return charset.Decoded(header.message.decode("utf-8"), header.wide_codec)


def trigger_event(header: Header) -> str:
    """MSH-9.2; EVN-1 where an ADT message has MSH-9.1 alone, as in HL7 2.1. Upper case; "" for none."""
    letterhead = header.letterhead
    if letterhead.trigger_event or letterhead.message_type not in ("", "ADT"):
        return letterhead.trigger_event
    evn = _field(first_segment(header, b"EVN"), 1)
    first = evn.split(letterhead.delimiters.repetition, 1)[0]
    return value_text(nth(first, letterhead.delimiters.component, 1), header).strip().upper()


@lru_cache(maxsize=256)
def is_event_code(code: str) -> bool:
    """Whether this is an ADT event's code by its form: `A` and two digits."""
    return _EVENT_CODE.fullmatch(code) is not None


def event_id(header: Header) -> str:
    """The patient event's id: the same whenever this message is sent, another for any other.

    The first 32 hex digits of SHA-256 over the JSON array of MSH-3, MSH-4, MSH-10 and the SHA-256 of
    the message without MSH-7's bytes (senders stamp a resend anew).
    """
    letterhead, message = header.letterhead, memoryview(header.message)
    before = header.start + letterhead.bytes_before_sent_at
    digest = hashlib.sha256(message[:before])
    digest.update(message[before + len(header.sent_at) :])
    parts = [*letterhead.identity, header.control_id.decode("latin-1"), digest.hexdigest()]
    return hashlib.sha256(compact_json(parts).encode()).hexdigest()[:32]


def patient_identifier(header: Header) -> tuple[str, str] | None:
    """The id and assigning authority that a patient's messages share; None when there is no id.

    The first id in PID-3, else in PID-2, else in PID-4; the authority is the whole of its component 4.
    """
    pid, delimiters = first_segment(header, b"PID"), header.letterhead.delimiters
    for number in (3, 2, 4):
        for identifier in _field(pid, number).split(delimiters.repetition):
            components = identifier.split(delimiters.component, 4)
            value = value_text(components[0], header)
            if value:
                return value, value_text(components[3], header) if len(components) > 3 else ""
    return None


def first_segment(header: Header, name: bytes) -> list[bytes]:
    """The first six fields of the first segment of that name, its name first; empty for none."""
    message, separator = header.message, header.letterhead.delimiters.field
    start = _segment_start(message, header.start, name + separator)
    if not start:
        return []
    end = segment_end(message, start)
    segment = message[start:end] if end < len(message) else message[start:].rstrip(TRAILING)
    return segment.split(separator, 5)


def _segment_start(message: bytes, begin: int, head: bytes) -> int:
    """Where the first segment with this head begins, in upper or lower case, blanks before it; 0 for none.

    Nearly every message has it in upper case right behind CR, which `find` sees at once.
    """
    found = message.find(b"\r" + head, begin)
    if found >= 0 and head not in message[begin:found].upper():
        return found + 1
    if head not in message.upper():
        return 0
    match = _loose_segment(head).search(message, begin)
    return match.start(1) if match else 0


@lru_cache(maxsize=64)
def _loose_segment(head: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"[\r\n][ \t]*((?i:%b))" % re.escape(head))


def segment_end(message: bytes, start: int) -> int:
    """Where the segment that begins at `start` ends: at CR, at LF, or with the message."""
    end = message.find(b"\r", start)
    if end < 0:
        end = len(message)
    line_feed = message.find(b"\n", start, end)
    return line_feed if line_feed >= 0 else end


def nth(value: bytes, delimiter: bytes, position: int) -> bytes:
    """The part at `position` (from 1) between delimiters; empty when there are fewer."""
    parts = value.split(delimiter, position)
    return parts[position - 1] if position <= len(parts) else b""


def value_text(raw: bytes, header: Header) -> str:
    """A value of the message as text, escape sequences decoded; "" for HL7's null.

    The whole message decides its codec (`decoded`), which is asked for only where the value needs it.
    """
    if raw == NULL:
        return ""
    escape = header.letterhead.delimiters.escape
    if raw.isascii() and escape not in raw:
        return raw.decode("ascii")
    codec = decoded(header).codec
    text = charset.read_by(raw, charset.UTF_8 if header.wide_codec else codec)
    return Escapes(header.letterhead.delimiters, codec).decode(text)


def _field(segment: list[bytes], number: int) -> bytes:
    return segment[number] if number < len(segment) else b""


STANDARD_LETTERHEAD = Letterhead(
    (STANDARD.field, STANDARD.encoding_characters, *[b""] * 8, b"P", b"2.5.1")
)
"""The MSH that is answered to where nothing says who sent the message."""
