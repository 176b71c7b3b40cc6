"""What the receiver reads of a message: MSH and the patient's identifier, as bytes, in any charset.

Values stay bytes, or are decoded as Latin-1, which loses nothing: the receiver compares and echoes, it
never interprets. Positions are the standard's: MSH-1 is the field separator (HL7 v2, 2.14.9).
"""

import hashlib
import json
import re
import string
from dataclasses import dataclass, field
from functools import lru_cache

_PUNCTUATION = string.punctuation.encode()
_DELIMITERS = frozenset(bytes([character]) for character in _PUNCTUATION)
_MAX_MSH_FIELDS = 25
_LONGEST_KEPT = 1024
# How far a damaged message is searched for an MSH that says whom to answer.
_SEARCHED_BYTES = 64 * 1024
_MSH = rb"(MSH)[%b]" % re.escape(_PUNCTUATION)
_ANY_MSH = re.compile(_MSH)
_LEADING_MSH = re.compile(rb"[\xef\xbb\xbf \t\r\n\x00]*" + _MSH)
_EVENT_CODE = re.compile(rb"A\d\d")

compact_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""A value as JSON without a blank: the form that is hashed."""


@dataclass(frozen=True, slots=True)
class Delimiters:
    """A message's delimiters, one byte each, and MSH-2 as the sender wrote it."""

    field: bytes = b"|"
    component: bytes = b"^"
    repetition: bytes = b"~"
    escape: bytes = b"\\"
    subcomponent: bytes = b"&"
    encoding_characters: bytes = b"^~\\&"


_STANDARD = Delimiters()


class Letterhead:
    """What a sender's messages share: MSH without MSH-7 and MSH-10, read once for all of them.

    `fields` is MSH as sent with those two emptied. `kept` says that it is remembered, and what is made
    of it may be too. Two are equal only when they are the same one.
    """

    __slots__ = (
        "accept_acknowledgement",
        "application_acknowledgement",
        "bytes_before_sent_at",
        "delimiters",
        "facility",
        "fields",
        "kept",
        "message_type",
        "processing_id",
        "readable",
        "sender",
        "trigger_event",
    )

    def __init__(self, fields: tuple[bytes, ...], *, kept: bool = False) -> None:
        separator = fields[0]
        self.kept = kept
        delimiters = _delimiters(separator, fields[1])
        self.fields = fields
        self.readable = delimiters is not None
        self.delimiters = delimiters or Delimiters(field=separator)
        self.sender = _text(self.component(3)), _text(self.component(4))
        """MSH-3.1 and MSH-4.1, by which a sender is known."""
        self.facility = _text(self.value(4))
        self.bytes_before_sent_at = len(b"MSH|") + sum(len(value) + 1 for value in fields[1:6])
        self.message_type = self.component(9)
        self.trigger_event = self.component(9, 2)
        self.processing_id = self.component(11).upper()  # some senders write `p`
        self.accept_acknowledgement = self.value(15).strip()
        self.application_acknowledgement = self.value(16).strip()

    def value(self, number: int) -> bytes:
        """MSH-`number` as sent; empty when the segment ends before it."""
        return self.fields[number - 1] if number <= len(self.fields) else b""

    def component(self, number: int, position: int = 1) -> bytes:
        """A component of MSH-`number`'s first repetition; empty when it is not there."""
        first = self.value(number).split(self.delimiters.repetition, 1)[0]
        return _part(first, self.delimiters.component, position)


@dataclass(slots=True)  # not frozen: one is made for each message, and freezing doubles the time
class Header:
    """A message's MSH segment: where it begins, MSH-7, MSH-10, and what it shares with others.

    `leads` is False for one found behind something else: enough to answer by, not to store by.
    """

    start: int
    leads: bool
    sent_at: bytes = field(repr=False)
    control_id: bytes = field(repr=False)
    letterhead: Letterhead = field(repr=False)


def find_header(message: bytes) -> Header | None:
    """The message's MSH, or one behind damage at its start; None when there is none."""
    found = _LEADING_MSH.match(message)
    leads = found is not None
    if found is None:
        found = _ANY_MSH.search(message, 0, _SEARCHED_BYTES)
    if found is None:
        return None
    start = found.start(1)
    segment = message[start : _segment_end(message, start)]
    separator = segment[3:4]
    fields = segment.split(separator, _MAX_MSH_FIELDS)
    fields[0] = separator
    sent_at = control_id = b""
    if len(fields) > 9:
        control_id, fields[9] = fields[9], b""
    if len(fields) > 6:
        sent_at, fields[6] = fields[6], b""
    # What is longer than any true MSH is not kept.
    read = _letterhead if len(segment) <= _LONGEST_KEPT else Letterhead
    return Header(start, leads, sent_at, control_id, read(tuple(fields)))


@lru_cache(maxsize=1024)
def _letterhead(fields: tuple[bytes, ...]) -> Letterhead:
    return Letterhead(fields, kept=True)


def _delimiters(separator: bytes, encoding_characters: bytes) -> Delimiters | None:
    """The delimiters that MSH-1 and MSH-2 name; None when the components' is missing or a letter.

    What is missing or no punctuation after the first is the standard's own: such a message is stored,
    and read or refused by the step that parses it.
    """
    named = [encoding_characters[at : at + 1] for at in range(4)]
    if named[0] not in _DELIMITERS:
        return None
    standard = (_STANDARD.component, _STANDARD.repetition, _STANDARD.escape, _STANDARD.subcomponent)
    component, repetition, escape, subcomponent = (
        one if one in _DELIMITERS else other for one, other in zip(named, standard, strict=True)
    )
    return Delimiters(separator, component, repetition, escape, subcomponent, encoding_characters)


def trigger_event(message: bytes, header: Header) -> bytes:
    """MSH-9.2, or EVN-1 where MSH-9 is the message type alone, as in HL7 2.1."""
    return header.letterhead.trigger_event or _field(_segment(message, header, b"EVN"), 1)


@lru_cache(maxsize=256)
def is_event_code(code: bytes) -> bool:
    """Whether this is an ADT event's code by its form: `A` and two digits."""
    return _EVENT_CODE.fullmatch(code) is not None


def event_id(message: bytes, header: Header) -> str:
    """The patient event's id: the same whenever this message is sent, another for any other.

    The first 32 hex digits of SHA-256 over the JSON array of MSH-3, MSH-4, MSH-10 and the SHA-256 of
    the message without MSH-7's bytes (senders stamp a resend anew).
    """
    letterhead = header.letterhead
    before = header.start + letterhead.bytes_before_sent_at
    after = before + len(header.sent_at)
    digest = hashlib.sha256(memoryview(message)[:before])
    digest.update(memoryview(message)[after:])
    identifying = letterhead.value(3), letterhead.value(4), header.control_id
    parts = [*map(_text, identifying), digest.hexdigest()]
    identity = compact_json(parts)
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def patient_identifier(message: bytes, header: Header) -> tuple[str, str] | None:
    """The id and assigning authority that a patient's messages share, or None when there is no id.

    The first id in PID-3, else in PID-2, else in PID-4; the authority is the whole of its component 4.
    """
    pid, delimiters = _segment(message, header, b"PID"), header.letterhead.delimiters
    for number in (3, 2, 4):
        for identifier in _field(pid, number).split(delimiters.repetition):
            value = _part(identifier, delimiters.component, 1)
            if value:
                authority = _part(identifier, delimiters.component, 4)
                return _text(value), _text(authority)
    return None


def _segment(message: bytes, header: Header, name: bytes) -> list[bytes]:
    """The fields of the first segment of that name, its name first; empty when there is none."""
    separator = header.letterhead.delimiters.field
    before = message.find(b"\r" + name + separator, header.start)
    if before < 0:  # lines end with LF, alone or behind CR
        before = message.find(b"\n" + name + separator, header.start)
    if before < 0:
        return []
    return message[before + 1 : _segment_end(message, before + 1)].split(separator, 5)


def _segment_end(message: bytes, start: int) -> int:
    """Where the segment that begins at `start` ends: at CR, at LF, or with the message."""
    end = message.find(b"\r", start)
    if end < 0:
        end = len(message)
    line_feed = message.find(b"\n", start, end)
    return line_feed if line_feed >= 0 else end


def _field(segment: list[bytes], number: int) -> bytes:
    return segment[number] if number < len(segment) else b""


def _part(value: bytes, delimiter: bytes, position: int) -> bytes:
    parts = value.split(delimiter, position)
    return parts[position - 1] if position <= len(parts) else b""


def _text(value: bytes) -> str:
    return value.decode("latin-1")
