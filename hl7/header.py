"""Finds and reads MSH in a message's bytes, transcoded where its character set needs it.

Receiver and ParseMessage call these functions on the same bytes, so they always agree on the sender.
Positions are the standard's: MSH-1 is the field separator (HL7 v2.9, 2.14.9). Values are bytes as sent;
texts have their escape sequences decoded.
"""

import json
import re
import string
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from hl7 import charset, iso2022, wrapping
from hl7.delimiters import PUNCTUATION, STANDARD, Delimiters, read_delimiters
from hl7.escapes import Escapes, printable
from hl7.segmentation import first_cut, has_too_many_lines, regular_header_end
from hl7.warnings import MessageWarning
from hl7.wrapping import Wrapping

NULL = b'""'
"""HL7's "delete this value" (v2.9, 2.5.3); read like an empty value."""

TRAILING = b"\x0b\x1c\x00\r\n"
"""Bytes after a message that are not part of it: repeated framing, padding, empty lines."""

MAX_REPETITIONS = 100
"""Most repetitions of one field that are read. Each identifier costs a later step a look-up."""

MAX_MSH_BYTES = 16_384
"""Longest MSH that is read and echoed. Real ones have a few hundred bytes."""

_MAX_MSH_FIELDS = 25
_MAX_CACHED_BYTES = 1024
# A damaged message is searched this far for an MSH, which names the sender to answer.
_SEARCHED_BYTES = 64 * 1024
_MSH = rb"((?i:MSH))[%b]" % re.escape(string.punctuation.encode())
_ANY_MSH = re.compile(_MSH)
_LEADING_MSH = re.compile(rb"[\xef\xbb\xbf\x0b\x1c\x00 \t\r\n]*" + _MSH)

compact_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""A value as JSON without blanks; hashes are computed over this form."""


class Letterhead:
    """MSH without MSH-7 and MSH-10. It repeats in a sender's messages, so it is parsed once and cached.

    `fields` is MSH as sent with those two emptied. `cached`: it is in the cache, and values derived
    from it may be cached too. Equality is object identity.
    """

    def __init__(
        self, fields: tuple[bytes, ...], *, transcoded: bool = False, cached: bool = False
    ) -> None:
        separator = fields[0]
        self.cached = cached
        self.fields = fields
        named, self.repairs = read_delimiters(separator, fields[1] if len(fields) > 1 else b"")
        self.readable = named is not None
        """Whether MSH-1 and MSH-2 name usable delimiters."""
        self.delimiters = named or Delimiters(field=separator)
        self.bytes_before_sent_at = len(b"MSH|") + sum(len(value) + 1 for value in fields[1:6])
        self.declared_character_sets = tuple(
            repetition.split(self.delimiters.component, 1)[0].strip().decode("latin-1")
            for repetition in self.value(18).split(self.delimiters.repetition)
        )
        self.wide_codec = charset.wide_codec(self.declared_character_sets)
        """The codec from which the message must be transcoded before it is cut into fields; "" for most."""
        self.wrapping = wrapping.of_encoding_characters(self.value(2))
        """The escaping of another format that MSH-2 shows; None for most messages."""
        self.plain = not self.wide_codec and self.wrapping is None
        """Whether the message is cut into fields as it is."""
        # Bytes that could not be transcoded are not in the set that MSH-18 declares.
        self.character_set = "" if self.wide_codec else self.declared_character_sets[0]
        self._transcoded = transcoded
        self.accept_acknowledgement, self.application_acknowledgement = (
            b"" if condition == NULL else condition
            for condition in (self.value(15).strip(), self.value(16).strip())
        )

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
        """MSH-3.1 with its subcomponents; the sender table compares all of it."""
        return self.part(3)

    @cached_property
    def sending_facility(self) -> str:
        """MSH-4.1 with its subcomponents."""
        return self.part(4)

    @cached_property
    def identity(self) -> str:
        """MSH-3 and MSH-4 byte for byte, as two members of the JSON array of the event id."""
        return compact_json([self.value(3).decode("latin-1"), self.value(4).decode("latin-1")])[
            1:-1
        ]

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
    """A message's MSH segment: its start, MSH-7, MSH-10, and the cached rest.

    Positions refer to `message`: the bytes as received, or transcoded to UTF-8 from `wide_codec`.
    MSH is from `start` to `end`. `leads` is False when other bytes precede MSH: the message can be
    answered but is not stored. `repairs` are those of the whole message.
    """

    message: bytes = field(repr=False)
    start: int
    end: int
    leads: bool
    sent_at: bytes = field(repr=False)
    control_id: bytes = field(repr=False)
    letterhead: Letterhead = field(repr=False)
    wide_codec: str = ""
    repairs: tuple[MessageWarning, ...] = ()
    has_two_readings: bool = False
    codec: str = ""
    text: charset.Decoded | None = field(default=None, repr=False, compare=False)
    """The decoded message, once a value has needed it."""

    @property
    def is_too_long(self) -> bool:
        """Whether MSH is longer than `MAX_MSH_BYTES`: it is neither accepted nor echoed."""
        return self.end - self.start > MAX_MSH_BYTES


def find_header(message: bytes) -> Header | None:
    """Returns the message's MSH, or one found after damaged bytes; None when there is none.

    A message in UTF-16, UTF-32 or a character set whose characters contain delimiters is transcoded
    first. If it is not in the set that it declares, its bytes are read as they are. A message that
    was escaped for HTML or as a string is unescaped as a whole. `has_two_readings` says that MSH reads
    otherwise after transcoding than as bytes.
    """
    if not message.startswith(b"MSH"):
        codec = charset.marked_codec(message)
        if codec:
            return _transcoded(message, codec)
    header = _find(message)
    if header is None:
        return None
    if iso2022.ESCAPE in message and iso2022.switches(message):
        return _compared(_switched(message, header), header)
    if header.letterhead.plain:
        return header
    if header.letterhead.wide_codec:
        transcoded = _transcoded(message, header.letterhead.wide_codec)
        header = _compared(transcoded, header) if transcoded else header
    if header.letterhead.wrapping:
        return _unwrapped(header, header.letterhead.wrapping)
    return header


def _transcoded(message: bytes, codec: str) -> Header | None:
    try:
        header = _find(message.decode(codec).encode(), transcoded=True)
    except UnicodeError:
        return None
    if header:
        header.wide_codec = codec
    return header


def _compared(transcoded: Header, raw: Header) -> Header:
    """The transcoded header, marked where MSH is not the same as in the bytes received.

    MSH decides about sender and trigger event. If a multi-byte character contains a delimiter's byte,
    another reader of the same bytes would find other values. So MSH has to be ASCII in such a message.
    """
    read = transcoded.message[transcoded.start : transcoded.end]
    transcoded.has_two_readings = read != raw.message[raw.start : raw.end] or not read.isascii()
    return transcoded


def _switched(message: bytes, header: Header) -> Header:
    """The header of a message that switches character sets by escape sequences, also undeclared."""
    codec = header.letterhead.wide_codec or iso2022.JAPANESE
    declared = header.letterhead.declared_character_sets[0]
    # The set before the first sequence: MSH-18's first repetition.
    before = "" if charset.codec_of(declared) == codec else declared
    text = iso2022.decode(message, lambda run: charset.decode(run, before).text)
    found = _find(text.encode(errors="replace"), transcoded=True)
    if found is None:
        return header
    found.wide_codec = codec
    if not header.letterhead.wide_codec:
        found.repairs = (charset.UNDECLARED,)
    return found


def _unwrapped(header: Header, wrapped: Wrapping) -> Header:
    """The header of a message that was escaped as a whole for another format."""
    whole = decoded(header)
    text = wrapping.unwrapped(whole.text, wrapped)
    found = _find(text.encode(errors="replace"), transcoded=True)
    if found is None or found.letterhead.wrapping:
        return header
    found.wide_codec = whole.codec if whole.codec != charset.MIXED else charset.UTF_8
    found.repairs = (*whole.repairs, wrapping.WARNINGS[wrapped])
    return found


def _find(message: bytes, *, transcoded: bool = False) -> Header | None:
    start, leads = _start_of_msh(message)
    if start < 0:
        return None
    separator = message[start + 3 : start + 4]
    end = _end_of_msh(message, start, separator)
    # Of an MSH that is too long to be accepted, only the first bytes are read.
    segment = message[start : min(end, start + MAX_MSH_BYTES)]
    fields = segment.split(separator, _MAX_MSH_FIELDS)
    fields[0] = separator
    sent_at = control_id = b""
    if len(fields) > 9:
        control_id, fields[9] = fields[9], b""
    if len(fields) > 6:
        sent_at, fields[6] = fields[6], b""
    if len(segment) <= _MAX_CACHED_BYTES:
        letterhead = _letterhead(tuple(fields), transcoded)
    else:  # longer than any real MSH
        letterhead = Letterhead(tuple(fields), transcoded=transcoded)
    return Header(message, start, end, leads, sent_at, control_id, letterhead)


def _end_of_msh(message: bytes, start: int, separator: bytes) -> int:
    """Index of the end of MSH: of its first line in nearly every message."""
    end = message.find(b"\r", start)
    line_feed = message.find(b"\n", start, end if end >= 0 else len(message))
    follows = message[end + 1 : end + 4] if end >= 0 > line_feed else b""
    if follows in (b"EVN", b"PID") and message[end + 4 : end + 5] == separator:
        return end  # nearly every message
    if line_feed >= 0:
        end = line_feed
    if end >= 0 and regular_header_end(separator).match(message, end):
        return end
    if has_too_many_lines(message):
        return end if end >= 0 else len(message)
    return first_cut(message, start, separator, "MSH").end


def _start_of_msh(message: bytes) -> tuple[int, bool]:
    """Index of MSH (-1 for none), and whether only blanks and byte order marks precede it."""
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
    """The message as text, with the codec in which the sender wrote it."""
    if header.text is None:
        if not header.wide_codec:
            header.text = charset.decode(header.message, header.letterhead.character_set)
        else:  # transcoded by `find_header`: valid UTF-8 with the sender's content
            header.text = charset.Decoded(header.message.decode("utf-8"), header.wide_codec)
    return header.text


def nth(value: bytes, delimiter: bytes, position: int) -> bytes:
    """The part at `position` (from 1) between delimiters; empty when there are fewer."""
    parts = value.split(delimiter, position)
    return parts[position - 1] if position <= len(parts) else b""


def value_text(raw: bytes, header: Header) -> str:
    """A value of the message as text, escape sequences decoded; "" for HL7's null.

    The codec depends on the whole message (`decoded`) and is determined only when the value needs it.
    """
    if raw == NULL:
        return ""
    escape = header.letterhead.delimiters.escape
    if raw.isascii() and escape not in raw:
        text = raw.decode("ascii")
        return text if text.isprintable() else printable(text).strip("\n")
    codec = _codec(header)
    text = charset.read_by(raw, charset.UTF_8 if header.wide_codec else codec)
    return Escapes(header.letterhead.delimiters, codec).decode(text).strip("\n")


def _codec(header: Header) -> str:
    """The codec of the message, without decoding all of it."""
    if header.wide_codec:
        return header.wide_codec
    if header.text is not None:
        return header.text.codec
    if not header.codec:
        header.codec, _ = charset.codec_used(header.message, header.letterhead.character_set)
    return header.codec


STANDARD_LETTERHEAD = Letterhead(
    (STANDARD.field, STANDARD.encoding_characters, *[b""] * 8, b"P", b"2.5.1")
)
"""The MSH used for an answer when the message has none."""
