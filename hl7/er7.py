"""Reads ER7 messages by position and writes segments.

A field's number is never reused in a later version (HL7 v2.9, 2.8.2). So a position means the same in
2.1 and in 2.9, and a value is read exactly as it was sent.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hl7.escapes import STANDARD_ESCAPES, Escapes
from hl7.header import (
    MAX_MSH_BYTES,
    MAX_REPETITIONS,
    TRAILING,
    Header,
    decoded,
    find_header,
    value_text,
)
from hl7.segmentation import READ, Cut, cut, has_too_many_lines, line_breaks
from hl7.tables import SEGMENTS
from hl7.warnings import MessageWarning, WarningCode

MAX_SEGMENTS = 5_000
"""Most segments of one message. The receiver rejects longer ones, so ParseMessage can read any that is stored."""
MAX_ESCAPES = 500_000
"""Most escape characters of one message: each sequence costs fifty times its bytes."""
MAX_REPAIRS = 20
"""Most fields of one segment that a warning about their line breaks names."""
REPEATING = frozenset({"DG1", "MRG", "NTE", "OBX", "ROL"})
"""Segments of which a message may have several: a position counts them."""

NULL = '""'
_TRAILING = TRAILING.decode()
_MSH = re.compile("MSH", re.IGNORECASE)
_MAX_LOOKS = 200
_MSH_2_WITHIN = 40
"""The repetition delimiter of MSH-2 stands within so many bytes after `MSH`, blanks included."""


class Er7Error(ValueError):
    """The bytes are not one HL7 v2 message. The text names the position, never a value."""


@dataclass(frozen=True, slots=True)
class Value:
    """One repetition of a field."""

    raw: str = field(repr=False)
    escapes: Escapes = field(repr=False)

    def part(self, component: int, subcomponent: int = 0) -> str:
        """A component as text, or one of its subcomponents; "" when absent or null.

        Most components have no subcomponents, so a subcomponent delimiter in them is text.
        """
        raw = self._component(component)
        if subcomponent:
            parts = raw.split(self.escapes.subcomponent, subcomponent)
            raw = parts[subcomponent - 1] if len(parts) >= subcomponent else ""
        elif raw.endswith(self.escapes.subcomponent):
            raw = raw.rstrip(self.escapes.subcomponent)
        return "" if raw == NULL else self.escapes.decode(raw).strip("\n")

    def code(self, component: int = 1) -> str:
        """A component that holds a code: its first line, without blanks around it."""
        return self.part(component).split("\n", 1)[0].strip()

    def component(self, number: int) -> str:
        """A component exactly as sent, escapes decoded; "" when absent or null."""
        raw = self._component(number)
        return "" if raw == NULL else self.escapes.decode(raw).strip("\n")

    def _component(self, number: int) -> str:
        components = self.raw.split(self.escapes.component, number)
        return components[number - 1] if len(components) >= number else ""

    def text(self) -> str:
        """The whole repetition as text, component delimiters included."""
        return "" if self.raw == NULL else self.escapes.decode(self.raw)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; `ordinal` counts those of the same name from 1."""

    name: str
    ordinal: int
    raw: str = field(repr=False)
    escapes: Escapes = field(repr=False)

    def field(self, number: int) -> str:
        """A field as it was sent; "" when absent."""
        if self.name == "MSH":
            # MSH-1 is the separator itself, so that the second piece is MSH-2.
            number -= 1
        pieces = self.raw.split(self.escapes.field, number + 1)
        return pieces[number] if len(pieces) > number else ""

    def repetitions(self, number: int) -> list[Value]:
        """The first `MAX_REPETITIONS` repetitions of a field, without those that are empty."""
        raws = self.field(number).split(self.escapes.repetition, MAX_REPETITIONS)
        return [Value(raw, self.escapes) for raw in raws[:MAX_REPETITIONS] if raw and raw != NULL]

    def first(self, number: int) -> Value:
        """The first repetition of a field; an empty value when there is none."""
        return Value(self.field(number).split(self.escapes.repetition, 1)[0], self.escapes)

    def part(self, number: int, component: int = 1) -> str:
        """A component of a field's first repetition as text."""
        return self.first(number).part(component)

    def code(self, number: int, component: int = 1) -> str:
        """A component that holds a code: its first line, without blanks around it."""
        return self.first(number).code(component)

    def position(self, number: int) -> str:
        """A field of this segment for a warning: `PID-11`, `OBX[2]-5`."""
        counted = self.name in REPEATING
        return f"{self.name}[{self.ordinal}]-{number}" if counted else f"{self.name}-{number}"


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its header, its segments in order, and the repairs made while reading.

    `beyond` are the segments from a second PID on, which may be about another patient.
    """

    header: Header = field(repr=False)
    segments: list[Segment] = field(repr=False)
    beyond: list[Segment] = field(repr=False)
    escapes: Escapes = field(repr=False)
    repairs: list[MessageWarning]

    def all(self, *names: str) -> list[Segment]:
        """The segments of these names, in message order."""
        return [segment for segment in self.segments if segment.name in names]

    def first(self, name: str) -> Segment:
        """The first segment of a name; an empty one when the message has none."""
        absent = Segment(name, 0, name, self.escapes)
        return next((segment for segment in self.segments if segment.name == name), absent)

    @property
    def every_segment(self) -> list[Segment]:
        """All segments, also those of further patients. The answer to a query may have several."""
        return [*self.segments, *self.beyond]

    def skipped_segments(self) -> tuple[str, ...]:
        """The names of segments that this system does not read, each once, in message order."""
        return tuple(dict.fromkeys(s.name for s in self.segments if s.name not in READ))

    @property
    def control_id(self) -> str:
        """MSH-10 as text. It is an ST, so component and repetition delimiters are part of the id."""
        return value_text(self.header.control_id, self.header)


def read(message: bytes) -> Message:
    """Reads the message in these bytes. Raises `Er7Error` when they are not one HL7 v2 message."""
    header = find_header(message)
    if header is None or not header.leads:
        raise Er7Error("the message does not begin with MSH and a delimiter (MSH-1)")
    if not header.letterhead.readable:
        raise Er7Error("MSH-1 and MSH-2 do not name five different delimiters")
    if header.has_two_readings:
        raise Er7Error("MSH has characters outside ASCII in a multi-byte character set (MSH-18)")
    if header.is_too_long:
        raise Er7Error(f"MSH has more than {MAX_MSH_BYTES} bytes")
    if has_too_many_segments(header):
        raise Er7Error(f"the message has more than {MAX_SEGMENTS} segments")
    if has_too_many_escapes(header):
        raise Er7Error(f"the message has more than {MAX_ESCAPES} escape characters")
    whole = decoded(header)
    repairs = [*whole.repairs, *header.letterhead.repairs, *header.repairs]
    # Blanks, framing bytes and a byte order mark may stand before MSH.
    text = _MSH.split(whole.text, maxsplit=1)[1].rstrip(_TRAILING)
    escapes = Escapes(header.letterhead.delimiters, whole.codec)
    segments = _segments(cut(f"MSH{text}", escapes.field), escapes, repairs)
    end = _end_of_patient(segments, repairs)
    return Message(header, segments[:end], segments[end:], escapes, repairs)


def holds_second_message(header: Header) -> bool:
    """Whether another message follows in the same bytes: it would be lost, or its patient mixed up."""
    message, delimiters = header.message, header.letterhead.delimiters
    # A second MSH-2 has the component and the repetition delimiter side by side, which few messages
    # have elsewhere; finding one byte is much faster than finding `MSH`.
    found = message.find(delimiters.repetition, header.end)
    if found < 0:
        return False
    component, looks = delimiters.component[0], 0
    while message[found - 1] != component or b"MSH" not in _before(message, found).upper():
        found = message.find(delimiters.repetition, found + 1)
        looks += 1
        if found < 0:
            return False
        if looks > _MAX_LOOKS:
            break
    return sum(one.name == "MSH" for one in _cuts(header)) > 1


def control_id(message: bytes) -> str:
    """MSH-10 as text; "" where it cannot be found. For the audit, which records unreadable messages too."""
    header = find_header(message)
    if header is None or not header.leads:
        return ""
    return value_text(header.control_id, header)


def has_too_many_segments(header: Header) -> bool:
    """Whether a message has more than `MAX_SEGMENTS` segments, or `MAX_LINES` lines."""
    message = header.message
    if len(message) < MAX_SEGMENTS:
        return False  # most messages need no count
    if line_breaks(message) <= MAX_SEGMENTS:
        return False
    # Lines of a text or of base64 are no segments: an exact count decides.
    return has_too_many_lines(message) or sum(1 for _ in _cuts(header)) > MAX_SEGMENTS


def has_too_many_escapes(header: Header) -> bool:
    """Whether a message has more than `MAX_ESCAPES` escape characters."""
    message = header.message
    if len(message) <= MAX_ESCAPES:
        return False
    return message.count(header.letterhead.delimiters.escape) > MAX_ESCAPES


def _before(message: bytes, index: int) -> bytes:
    return message[max(index - _MSH_2_WITHIN, 0) : index]


def _cuts(header: Header) -> Iterator[Cut]:
    """The segments of a message by its bytes; ISO 8859-1 maps each byte to one character."""
    separator = header.letterhead.delimiters.field.decode("latin-1")
    return cut(header.message.decode("latin-1"), separator, header.start)


def _segments(
    cuts: Iterable[Cut], escapes: Escapes, repairs: list[MessageWarning]
) -> list[Segment]:
    """The segments, counted by name, with a warning for each repair. Raises `Er7Error` at a second MSH."""
    count: dict[str, int] = {}
    segments: list[Segment] = []
    unknown: list[int] = []
    miswritten: list[int] = []
    line_feeds = False
    for number, one in enumerate(cuts, start=1):
        count[one.name] = count.get(one.name, 0) + 1
        if one.name == "MSH" and number > 1:
            raise Er7Error(f"segment {number} begins a second message")
        segment = Segment(one.name, count[one.name], one.raw, escapes)
        segments.append(segment)
        line_feeds = line_feeds or one.line_feed
        if one.breaks or one.added or one.name == "DSC":
            repairs += _repairs(segment, one)
        if one.name not in SEGMENTS and not one.name.startswith("Z"):
            unknown.append(number)
        if one.miswritten:
            miswritten.append(number)
        if one.raw.count(escapes.repetition) >= MAX_REPETITIONS and one.name in READ:
            repairs += _excess(segment)
    for code, found in (
        (WarningCode.SEGMENT_UNKNOWN, unknown),
        (WarningCode.NAME_MISWRITTEN, miswritten),
    ):
        if found:
            repairs.append(MessageWarning(code, f"segment {found[0]}", str(len(found))))
    if line_feeds:
        repairs.append(MessageWarning(WarningCode.LINE_FEEDS))
    return segments


def _repairs(segment: Segment, one: Cut) -> Iterator[MessageWarning]:
    first = 1 if segment.name == "MSH" else 0  # MSH-1 is the first separator
    for broken, breaks in itertools.islice(Counter(one.breaks).items(), MAX_REPAIRS):
        position = segment.position(broken + first)
        yield MessageWarning(WarningCode.CONTINUED_LINES, position, str(1 + breaks))
    if one.added:
        yield MessageWarning(WarningCode.CONTINUED_BY_ADD, segment.position(0).removesuffix("-0"))
    if segment.name == "DSC":
        yield MessageWarning(WarningCode.MESSAGE_CONTINUES, "DSC-1")


def _excess(segment: Segment) -> Iterator[MessageWarning]:
    if segment.name in ("OBX", "NTE"):
        return  # texts, whose repetitions are lines
    for number, value in enumerate(segment.raw.split(segment.escapes.field)):
        if value.count(segment.escapes.repetition) >= MAX_REPETITIONS:
            position, limit = segment.position(number), str(MAX_REPETITIONS)
            yield MessageWarning(WarningCode.TOO_MANY_REPETITIONS, position, limit)


def _end_of_patient(segments: list[Segment], repairs: list[MessageWarning]) -> int:
    """Index of the second PID; the number of segments when there is none."""
    for index, segment in enumerate(segments):
        if segment.name == "PID" and segment.ordinal > 1:
            repairs.append(MessageWarning(WarningCode.SECOND_PATIENT, f"segment {index + 1}"))
            return index
    return len(segments)


def segment(name: str, *fields: str) -> str:
    """Writes a segment with the standard delimiters. `fields` begin at position 1, for MSH at MSH-2.

    Fields are written without escaping: build them with `component`.
    """
    return "|".join((name, *fields))


def component(*values: str) -> str:
    """A field of these components, each escaped."""
    return "^".join(STANDARD_ESCAPES.encode(value) for value in values)


def write(segments: Iterable[str]) -> bytes:
    """The message of these segments in UTF-8, each ended by CR (HL7 v2.9, 2.5.2)."""
    return "".join(f"{one}\r" for one in segments).encode()
