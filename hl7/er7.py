"""Reads ER7 messages by position and writes segments.

A field's number is never reused in a later version (HL7 v2.9, 2.8.2). So a position means the same in
2.1 and in 2.9, and a value is read exactly as it was sent.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from hl7.escapes import STANDARD_ESCAPES, Escapes
from hl7.header import TRAILING, Header, decoded, find_header, value_text
from hl7.warnings import MessageWarning, WarningCode

MAX_SEGMENTS = 20_000
"""Most segments of one message. The receiver rejects longer ones, so ParseMessage can read any that is stored."""
MAX_REPETITIONS = 100
"""Most repetitions of one field. Each identifier costs a later step a look-up."""
READ = ("MSH", "EVN", "PID", "PD1", "MRG", "ROL", "PV1", "PV2", "DG1", "OBX", "NTE")
"""The segments that this system reads fields of. Their names may be in lower case."""
TEXTUAL = ("OBX", "NTE")
"""Segments whose text may continue in lines that do not begin a segment."""

NULL = '""'
_TRAILING = TRAILING.decode()
_SEGMENT_END = re.compile(r"\r\n|\r|\n")
_MSH = re.compile("MSH", re.IGNORECASE)
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")


class Er7Error(ValueError):
    """The bytes are not one HL7 v2 message. The text names the position, never a value."""


@dataclass(frozen=True, slots=True)
class Value:
    """One repetition of a field."""

    raw: str = field(repr=False)
    escapes: Escapes = field(repr=False)

    def part(self, component: int, subcomponent: int = 1) -> str:
        """A component's subcomponent as text, escapes decoded; "" when absent or null."""
        components = self.raw.split(self.escapes.component, component)
        if len(components) < component:
            return ""
        parts = components[component - 1].split(self.escapes.subcomponent, subcomponent)
        if len(parts) < subcomponent or parts[subcomponent - 1] == NULL:
            return ""
        return self.escapes.decode(parts[subcomponent - 1])

    def component(self, number: int) -> str:
        """A component with its subcomponents as sent, escapes decoded; "" when absent or null."""
        components = self.raw.split(self.escapes.component, number)
        raw = components[number - 1] if len(components) >= number else ""
        return "" if raw == NULL else self.escapes.decode(raw)

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
        """The repetitions of a field that are not empty.

        Raises `Er7Error` past `MAX_REPETITIONS`.
        """
        raws = self.field(number).split(self.escapes.repetition, MAX_REPETITIONS)
        if len(raws) > MAX_REPETITIONS:
            raise Er7Error(f"{self.name}-{number} has more than {MAX_REPETITIONS} repetitions")
        return [Value(raw, self.escapes) for raw in raws if raw and raw != NULL]

    def first(self, number: int) -> Value:
        """The first repetition of a field; an empty value when there is none."""
        return Value(self.field(number).split(self.escapes.repetition, 1)[0], self.escapes)

    def part(self, number: int, component: int = 1, subcomponent: int = 1) -> str:
        """A subcomponent of a field's first repetition as text."""
        return self.first(number).part(component, subcomponent)


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

    def unread(self) -> tuple[str, ...]:
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
    if has_too_many_segments(header.message):
        raise Er7Error(f"the message has more than {MAX_SEGMENTS} segments")
    whole = decoded(header)
    repairs = [*whole.repairs, *header.letterhead.repairs]
    # Blanks, framing bytes and a byte order mark may stand before MSH.
    text = _MSH.split(whole.text, maxsplit=1)[1].rstrip(_TRAILING)
    text = f"MSH{text}"
    if "\n" in text:
        repairs.append(MessageWarning(WarningCode.LINE_FEEDS))
    escapes = Escapes(header.letterhead.delimiters, whole.codec)
    segments = _segments(_SEGMENT_END.split(text), escapes, repairs)
    end = _end_of_patient(segments, repairs)
    return Message(header, segments[:end], segments[end:], escapes, repairs)


def control_id(message: bytes) -> str:
    """MSH-10 as text; "" where it cannot be found. For the audit, which records unreadable messages too."""
    header = find_header(message)
    if header is None or not header.leads:
        return ""
    return value_text(header.control_id, header)


def has_too_many_segments(message: bytes) -> bool:
    """Whether a message has more than `MAX_SEGMENTS` lines, counted as they are read."""
    if len(message) < MAX_SEGMENTS:
        return False  # most messages need no exact count
    ends = message.count(b"\r") + message.count(b"\n") - message.count(b"\r\n")
    return ends > MAX_SEGMENTS


def _segments(lines: list[str], escapes: Escapes, repairs: list[MessageWarning]) -> list[Segment]:
    grouped: list[tuple[str, list[str]]] = []
    strays: list[int] = []
    for number, line in enumerate(lines, start=1):
        name = _name(line, escapes)
        if name == "MSH" and grouped:
            # Two messages in one frame: the second would be lost, or its patient mixed up with the first.
            raise Er7Error(f"line {number} begins a second message")
        if name:
            grouped.append((name, [line.lstrip(" \t")]))
        elif grouped and grouped[-1][0] in TEXTUAL:
            # A line break inside a note, sent bare instead of as \.br\.
            grouped[-1][1].append(line)
        elif line.strip():
            strays.append(number)
    if strays:
        repairs.append(
            MessageWarning(WarningCode.STRAY_LINES, f"line {strays[0]}", str(len(strays)))
        )
    return _numbered(grouped, escapes, repairs)


def _numbered(
    grouped: list[tuple[str, list[str]]], escapes: Escapes, repairs: list[MessageWarning]
) -> list[Segment]:
    count: dict[str, int] = {}
    segments = []
    for name, lines in grouped:
        count[name] = count.get(name, 0) + 1
        if len(lines) > 1:
            position = f"{name}[{count[name]}]"
            repairs.append(MessageWarning(WarningCode.CONTINUED_LINES, position, str(len(lines))))
        segments.append(Segment(name, count[name], "\n".join(lines), escapes))
    return segments


def _name(line: str, escapes: Escapes) -> str:
    """The segment's name; "" for a line that is no segment. Names of `READ` may be in lower case."""
    line = line.lstrip(" \t")
    head, after = line[:3], line[3:4]
    if after not in ("", escapes.field):
        return ""
    if _NAME.fullmatch(head):
        return head
    return head.upper() if head.upper() in READ and after else ""


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
