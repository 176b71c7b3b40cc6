"""Cuts a message's text into segments, with line breaks inside fields kept in their fields.

CR ends a segment (HL7 v2.9, 2.5.2). Senders also use LF or CRLF, and write bare line breaks into
fields. A line begins a segment when a segment's name and the field separator lead it; any other line
continues the field before it, so that the fields behind keep their numbers
(docs/adr/0201-line-breaks-inside-fields.md). ADD continues the segment before it (2.10.2).

Receiver and ParseMessage use this function on the same bytes, so a patient's identifier has one reading.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from hl7.delimiters import STANDARD
from hl7.tables import OBSERVATION_STATUSES, SEGMENTS

MAX_LINES = 20_000
"""Most lines of one message, those of texts included. A message of more is not cut, and not accepted."""

READ = frozenset({"MSH", "EVN", "PID", "PD1", "MRG", "ROL", "PV1", "PV2", "DG1", "OBX", "NTE"})
"""The segments that this system reads fields of."""

_ANY_CASE = READ | {"ADD", "DSC"}
"""Segments whose names may be in lower or mixed case."""

TEXTUAL = frozenset({"OBX", "NTE"})
"""Segments that end in text, where a line of capitals is more likely text than a segment."""

COUNTED = frozenset(
    {"PID", "PV1", "OBX", "NTE", "DG1", "AL1", "IN1", "GT1", "NK1", "PR1", "OBR", "ROL"}
    | {"DB1", "FT1"}
)
"""Segments whose first field is a number (SI), or empty."""

_BREAK = re.compile(r"\r\n|\r|\n")
_BLANKS = " \t"
_OBX_VALUE, _OBX_STATUS = 5, 11
_TEXT_FIELDS = {"OBX": _OBX_VALUE, "NTE": 3}
_NUMBER = re.compile(r"\d{1,3}")
"""A segment's number among those of its name (SI)."""


@dataclass(slots=True)
class Cut:
    """One segment: its name in capitals, its text, and where in the message it begins and ends.

    `raw` begins with the name and has a line feed for each line break inside a field. `breaks` are the
    numbers of the fields that hold one; `added` counts ADD segments that were joined to it.
    `line_feed`: a line feed precedes it. `miswritten`: its name has small letters, or blanks around it.
    """

    name: str
    raw: str = field(repr=False)
    start: int
    end: int
    line_feed: bool = False
    miswritten: bool = False
    breaks: list[int] = field(default_factory=list)
    added: int = 0


@dataclass(slots=True)  # not frozen: one is made for each line
class _Line:
    """One line: the break before it, its bounds, and the name that leads it ("" for none)."""

    ending: str
    start: int
    end: int
    name: str = ""
    rest: int = 0  # where the text after the name and blanks begins
    separated: bool = False  # the field separator follows the name
    capitals: bool = False  # the name was sent in capitals
    blank: bool = False  # blanks follow the name


def cut(text: str, separator: str, start: int = 0) -> Iterator[Cut]:
    """Yields the segments of the message that begins with MSH at `start`, one after the other.

    A second MSH is yielded as a segment; the caller decides about it.
    """
    lines = _lines(text, separator, start)
    reader = _Reader(text, separator, next(lines))
    pending = next(lines, None)
    while pending is not None:
        line, pending = pending, next(lines, None)
        if line.name == "DSC" and pending is not None and pending.name == "ADD":
            continue  # a pointer to the ADD of the same message
        if finished := reader.take(line, pending):
            yield finished
    yield reader.finish()


class _Reader:
    """The segment that is being read, to which lines are added until the next one begins."""

    def __init__(self, text: str, separator: str, first: "_Line") -> None:
        self._text = text
        self._separator = separator
        self._usual = ""  # the line break before the first segment behind MSH
        encoding = text[first.start + 4 : first.end].split(separator, 1)[0].strip()
        self._encoding = encoding[:2] + STANDARD.encoding_characters.decode()[len(encoding) : 2]
        self._parts: list[str]
        self._empty_lines = 0
        self._open(first, "MSH" + text[first.start + 3 : first.end])

    def take(self, line: "_Line", following: "_Line | None") -> Cut | None:
        """Adds a line. Returns the segment that it ends."""
        if not self._usual and line.separated and line.name in SEGMENTS:
            self._usual = line.ending
        if line.name and self._begins(line, following):
            finished = self.finish()
            self._open(line, line.name + self._rest(line))
            return finished
        if line.name == "ADD" and line.separated and self._cut.name != "MSH":
            self._add(self._rest(line)[1:], line)
            self._cut.added += 1
            return None
        sent = self._text[line.start : line.end]
        if sent.strip(_BLANKS):
            self._cut.breaks.append(self._separators)
            self._parts += ["\n"] * self._empty_lines
            self._empty_lines = 0
            self._add("\n" + sent, line)
        elif self._cut.name in TEXTUAL:  # an empty line is text only in a text
            self._empty_lines += 1
        return None

    def _add(self, sent: str, line: "_Line") -> None:
        self._parts.append(sent)
        self._separators += sent.count(self._separator)
        self._cut.end = line.end

    def finish(self) -> Cut:
        """The segment as far as it was read."""
        self._cut.raw = "".join(self._parts) if len(self._parts) > 1 else self._parts[0]
        return self._cut

    def _open(self, line: "_Line", raw: str) -> None:
        name = line.name if line.ending else "MSH"
        miswritten = not self._text.startswith(name, line.start) or line.blank
        self._cut = Cut(name, "", line.start, line.end, "\n" in line.ending, miswritten)
        self._parts = [raw]
        self._separators = raw.count(self._separator)
        self._empty_lines = 0

    def _rest(self, line: "_Line") -> str:
        """The line behind the segment's name, from the separator on."""
        return self._text[line.rest : line.end]

    def _begins(self, line: "_Line", following: "_Line | None") -> bool:
        """Whether the line begins a segment; otherwise it continues the field before it."""
        if not line.separated:
            # A bare name is an empty segment where no text can go on, and a segment or the end follows.
            # A bare MSH names no delimiters, so it begins no message.
            if line.name == "MSH":
                return False
            ends = following is None or (following.separated and bool(following.name))
            usual = line.ending == self._usual
            return ends and usual and _is_known(line.name) and self._cut.name not in TEXTUAL
        if line.name == "MSH":
            # The word in a text is no second message: MSH-2 names the delimiters.
            return self._encoding in self._rest(line)[1:].split(self._separator, 1)[0][:8]
        known, usual = _is_known(line.name), line.ending == self._usual
        open_value = self._cut.name == "OBX" and self._separators == _OBX_VALUE
        if known and usual and line.capitals and not open_value:
            return line.name != "ADD"  # nearly every line
        fields = self._rest(line).split(self._separator)
        if open_value and self._completes_observation(line, fields):
            return False
        return line.name != "ADD" and self._is_segment(line, fields, known=known, usual=usual)

    def _is_segment(self, line: "_Line", fields: list[str], *, known: bool, usual: bool) -> bool:
        if known and usual and line.capitals:
            return True
        if known or line.name in _ANY_CASE:
            return _is_plausible(line.name, fields)
        # A name that is in no table: a vendor's segment behind a text. Behind fields by position it may
        # be a value (`USA`, `ACC9`), so it is a segment only where its own number follows.
        in_text = self._separators >= _TEXT_FIELDS.get(self._cut.name, sys.maxsize)
        in_text = in_text or not _is_known(self._cut.name)
        return usual and (in_text or _NUMBER.fullmatch(fields[1].strip()) is not None)

    def _completes_observation(self, line: "_Line", fields: list[str]) -> bool:
        """Whether the line is the last of an OBX-5: it brings the OBX-11 that the segment still lacks.

        `fields` are the line's, its name aside: the first is empty.
        """
        distance = _OBX_STATUS - _OBX_VALUE
        between, status = fields[1:distance], fields[distance : distance + 1]
        if not status or status[0].strip().upper() not in OBSERVATION_STATUSES:
            return False
        return not any(between) or not (_is_known(line.name) or between[0].strip().isdigit())


def first_cut(message: bytes, start: int, separator: bytes, name: str) -> Cut:
    """The first segment of a name, cut as ParseMessage cuts it; an empty one where there is none.

    ISO 8859-1 maps each byte to one character, so positions are those of the bytes.
    """
    if has_too_many_lines(message):
        return Cut(name, "", start, start)
    segments = cut(message.decode("latin-1"), separator.decode("latin-1"), start)
    return next((one for one in segments if one.name == name), Cut(name, "", start, start))


def has_too_many_lines(message: bytes) -> bool:
    """Whether the message has more than `MAX_LINES` lines. A line costs much more than its bytes."""
    return len(message) > MAX_LINES and line_breaks(message) > MAX_LINES


def line_breaks(message: bytes) -> int:
    """The number of line breaks: CR, LF, or both together."""
    return message.count(b"\r") + message.count(b"\n") - message.count(b"\r\n")


def _is_known(name: str) -> bool:
    return name in SEGMENTS or name.startswith("Z")


@lru_cache(maxsize=64)
def regular_patient(separator: bytes, end: bytes) -> re.Pattern[bytes]:
    """Matches, from the end of MSH, at most EVN and then PID (group 1), as nearly all messages have them.

    `end` is the line break behind MSH. Where it matches, `cut` finds the same PID.
    """
    mark = re.escape(separator)
    return re.compile(
        rb"%b(?:EVN%b[^\r\n]*+%b)?(PID%b[^\r\n]*+)"
        rb"(?:%b(?:PD1|NK1|PV1|PV2|MRG|ROL|NTE|OBX)%b|(?:%b)?\Z)"
        % (end, mark, end, mark, end, mark, end)
    )


@lru_cache(maxsize=64)
def regular_header_end(separator: bytes) -> re.Pattern[bytes]:
    """Matches at the end of MSH where a segment that may follow it begins."""
    return re.compile(rb"(?:\r\n?|\n)(?:EVN|PID|SFT|MSA|QPD)%b" % re.escape(separator))


def _lines(text: str, separator: str, start: int) -> Iterator[_Line]:
    pattern, ending = _leading_name(separator), ""
    while True:
        found = _BREAK.search(text, start)
        end = found.start() if found else len(text)
        lead = pattern.match(text, start, end)
        if lead:
            yield _Line(
                ending,
                start,
                end,
                _name(lead[1]),
                lead.end(2),
                bool(lead[3]),
                lead[1].isupper(),
                bool(lead[2]),
            )
        else:
            yield _Line(ending, start, end)
        if not found:
            return
        ending, start = found[0], found.end()


@lru_cache(maxsize=64)
def _leading_name(separator: str) -> re.Pattern[str]:
    mark = re.escape(separator)
    return re.compile(rf"[ \t]*([A-Za-z][A-Za-z0-9]{{2,11}})([ \t]{{0,16}})(?:({mark})|\Z)")


def _name(sent: str) -> str:
    """The name in capitals where it may be a segment's; "" for other words in small letters."""
    upper = sent.upper()
    return upper if sent == upper or upper in _ANY_CASE else ""


def _is_plausible(name: str, fields: list[str]) -> bool:
    """Whether a line behind an unusual line break, or with its name in small letters, reads as a segment."""
    first = fields[1].strip() if len(fields) > 1 else ""
    if name in COUNTED:
        return not first or first.isdigit()
    if name == "EVN":
        return not first or re.match(r"[A-Z]\d\d", first) is not None
    return True
