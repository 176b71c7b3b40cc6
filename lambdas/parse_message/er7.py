"""ER7, the encoding with `|` and `^`, read by position with the sender's own delimiters.

HL7 keeps positions from version to version: a field may be withdrawn, its number is never given
to another (HL7 2.8.2). So a position says the same in 2.1 and in 2.8.2, and what is read here is
exactly what was sent. hl7apy, which renames, moves and rewrites values, only checks (structure.py).
"""

import re
import string
from dataclasses import dataclass, field

from lambdas.common.errors import UnprocessableMessageError
from lambdas.parse_message import charset
from lambdas.parse_message.encoding import Encoding, encoding_of

MAX_SEGMENTS = 10_000
MAX_REPETITIONS = 100
READ = ("MSH", "EVN", "PID", "PD1", "MRG", "ROL", "PV1", "PV2", "DG1", "OBX", "NTE")
"""The segments whose fields become part of the patient event."""

TEXTUAL = ("OBX", "NTE")
PUNCTUATION = frozenset(string.punctuation)
NULL = '""'
"""HL7's "delete this value": for a notification, as good as nothing."""

LEADING = "\ufeff\x0b\x1c\x00 \t\r\n"
TRAILING = "\ufeff\x0b\x1c\x00\r\n"


@dataclass(frozen=True, slots=True)
class Value:
    """One repetition of a field."""

    raw: str = field(repr=False)
    encoding: Encoding = field(repr=False)

    def part(self, component: int, subcomponent: int = 1) -> str:
        """A component's subcomponent as text, escapes decoded; "" when absent or null."""
        components = self.raw.split(self.encoding.component)
        if len(components) < component:
            return ""
        parts = components[component - 1].split(self.encoding.subcomponent)
        if len(parts) < subcomponent or parts[subcomponent - 1] == NULL:
            return ""
        return self.encoding.unescape(parts[subcomponent - 1])

    def identifier(self) -> str:
        """The first component exactly as sent, a bare `&` in it too, escapes decoded."""
        raw = self.raw.split(self.encoding.component, 1)[0]
        return "" if raw == NULL else self.encoding.unescape(raw)

    def text(self) -> str:
        """The whole repetition as text, delimiters of its components left as they are."""
        return "" if self.raw == NULL else self.encoding.unescape(self.raw)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; `ordinal` counts those of the same name from 1."""

    name: str
    ordinal: int
    raw: str = field(repr=False)
    encoding: Encoding = field(repr=False)

    def field(self, number: int) -> str:
        """A field as it was sent; "" when absent."""
        separator = self.encoding.field
        if self.name == "MSH":
            # MSH-1 is the separator itself, so that the second piece is MSH-2.
            number -= 1
        pieces = self.raw.split(separator, number + 1)
        return pieces[number] if len(pieces) > number else ""

    def repetitions(self, number: int) -> list[Value]:
        """The repetitions of a field that hold anything.

        Raises `UnprocessableMessageError` past `MAX_REPETITIONS`: nobody has a hundred names, and
        each would cost the later steps a look-up.
        """
        raws = self.field(number).split(self.encoding.repetition, MAX_REPETITIONS)
        if len(raws) > MAX_REPETITIONS:
            raise UnprocessableMessageError(
                f"{self.name}-{number} has more than {MAX_REPETITIONS} repetitions"
            )
        return [Value(raw, self.encoding) for raw in raws if raw and raw != NULL]

    def first(self, number: int) -> Value:
        """The first repetition of a field; an empty value when there is none."""
        return Value(self.field(number).split(self.encoding.repetition, 1)[0], self.encoding)

    def part(self, number: int, component: int = 1) -> str:
        """A component of a field's first repetition as text."""
        return self.first(number).part(component)

    def identifier(self, number: int) -> str:
        """The first component of a field's first repetition exactly as sent, escapes decoded."""
        return self.first(number).identifier()


@dataclass(frozen=True, slots=True)
class Message:
    """A message as segments in their order, and what had to be repaired to read them.

    `beyond` are those from a second PID on, which may be about somebody else.
    """

    segments: list[Segment] = field(repr=False)
    beyond: list[Segment] = field(repr=False)
    encoding: Encoding = field(repr=False)
    warnings: list[str]

    def all(self, *names: str) -> list[Segment]:
        """The segments of these names, in message order."""
        return [segment for segment in self.segments if segment.name in names]

    def first(self, name: str) -> Segment:
        """The first segment of a name; an empty one when the message has none."""
        absent = Segment(name, 0, name, self.encoding)
        return next((segment for segment in self.segments if segment.name == name), absent)

    def unread(self) -> tuple[str, ...]:
        """The names of segments that nothing reads, each once, in message order."""
        return tuple(dict.fromkeys(s.name for s in self.segments if s.name not in READ))


def read(raw: bytes) -> Message:
    """The message in these bytes.

    Raises `UnprocessableMessageError` when they are not one HL7 v2 message.
    """
    text, character_set, warnings = charset.decode(raw)
    text = text.lstrip(LEADING).rstrip(TRAILING)
    if not _is_header(text):
        raise UnprocessableMessageError("the message does not begin with MSH")
    if "\n" in text:
        warnings.append("line feeds were read as segment ends")
    lines = re.split(r"\r\n|\r|\n", text, maxsplit=MAX_SEGMENTS)
    if len(lines) > MAX_SEGMENTS:
        raise UnprocessableMessageError(f"the message has more than {MAX_SEGMENTS} segments")
    encoding = encoding_of(lines[0], character_set, warnings)
    segments = _segments(lines, encoding, warnings)
    end = _end_of_patient(segments, warnings)
    return Message(segments[:end], segments[end:], encoding, warnings)


def message_control_id(raw: bytes) -> str:
    """MSH-10 as sent; "" where it cannot be found. For the audit, which wants it of unreadable messages too."""
    try:
        text, character_set, _ = charset.decode(raw)
    except UnprocessableMessageError:
        return ""
    header = re.split(r"[\r\n]", text.lstrip(LEADING), maxsplit=1)[0]
    if not _is_header(header):
        return ""
    try:
        encoding = encoding_of(header, character_set, [])
    except UnprocessableMessageError:
        return _control_id_by_position(header)
    return control_id_of(Segment("MSH", 1, header, encoding))


def _control_id_by_position(header: str) -> str:
    """MSH-10 of a header whose MSH-2 cannot be meant: the field separator is enough to find it."""
    separator = header[3:4]
    fields = header.split(separator) if separator in PUNCTUATION else []
    return fields[9] if len(fields) > 9 else ""


def control_id_of(msh: Segment) -> str:
    """MSH-10, an ST: whatever it holds is the id, delimiters of components and repetitions too."""
    return msh.encoding.unescape(msh.field(10))


def _is_header(text: str) -> bool:
    return text[:3].upper() == "MSH"


def _segments(lines: list[str], encoding: Encoding, warnings: list[str]) -> list[Segment]:
    grouped: list[tuple[str, list[str]]] = []
    strays: list[int] = []
    for number, line in enumerate(lines, start=1):
        name = _name(line, encoding)
        if name == "MSH" and grouped:
            # Two messages in one frame: the second would be lost, or its patient mixed with the first.
            raise UnprocessableMessageError(f"line {number} begins a second message")
        if name:
            grouped.append((name, [line.lstrip()]))
        elif grouped and grouped[-1][0] in TEXTUAL:
            # A line break inside a note, sent bare instead of as \.br\.
            grouped[-1][1].append(line)
        elif line.strip():
            strays.append(number)
    if strays:
        warnings.append(f"lines that are no segments: {len(strays)}, the first is line {strays[0]}")
    return _numbered(grouped, encoding, warnings)


def _numbered(
    grouped: list[tuple[str, list[str]]], encoding: Encoding, warnings: list[str]
) -> list[Segment]:
    count: dict[str, int] = {}
    segments = []
    for name, lines in grouped:
        count[name] = count.get(name, 0) + 1
        if len(lines) > 1:
            warnings.append(f"{name}[{count[name]}] goes on over {len(lines)} lines")
        segments.append(Segment(name, count[name], "\n".join(lines), encoding))
    return segments


def _name(line: str, encoding: Encoding) -> str:
    """The segment's name; "" for a line that is none. Names that we read may be in lower case."""
    head, after = line.lstrip()[:3], line.lstrip()[3:4]
    if after not in ("", encoding.field):
        return ""
    if re.fullmatch(r"[A-Z][A-Z0-9]{2}", head):
        return head
    return head.upper() if head.upper() in READ and after else ""


def _end_of_patient(segments: list[Segment], warnings: list[str]) -> int:
    """Where a second PID begins: what follows it may be about somebody else. Else the end."""
    for index, segment in enumerate(segments):
        if segment.name == "PID" and segment.ordinal > 1:
            warnings.append(f"segment {index + 1} is a second PID; nothing was read from it on")
            return index
    return len(segments)
