"""Reads HL7 v2 messages from files, and the header fields that an MLLP client needs."""

import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from hl7.header import STANDARD_LETTERHEAD, find_header

# A segment named MSH at the start of a line: its fourth character is the field separator.
HEADER = re.compile(rb"(?:^|(?<=\r))MSH(?=[^0-9A-Za-z\r])")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Only as frame bytes: elsewhere 0x0B may be a line break inside a text.
FRAME_BYTES = re.compile(rb"\x0b(?=MSH)|\x1c(?=[\r\n]|\Z)")
BATCH_SEGMENTS = (b"FHS", b"BHS", b"BTS", b"FTS")


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message to send: its file, its number in the file (from 1), and its bytes."""

    file: str
    number: int
    body: bytes = field(repr=False)

    @property
    def label(self) -> str:
        """File and number, as in `admissions.hl7 #2`."""
        return f"{self.file} #{self.number}"

    @property
    def control_id(self) -> bytes:
        """MSH-10, b"" when the header has none."""
        header = find_header(self.body)
        return header.control_id if header else b""

    @property
    def answered(self) -> str:
        """The receiver's answering: `always`, `never` or `sometimes`.

        MSH-15 and MSH-16 decide: both empty mean always, `ER` or `SU` sometimes (HL7 v2.5.1, 2.9.1 and
        table 0155).
        """
        header = find_header(self.body)
        sent = header.letterhead if header else STANDARD_LETTERHEAD
        conditions = {sent.accept_acknowledgement, sent.application_acknowledgement} - {b""}
        if not conditions or conditions - {b"NE", b"ER", b"SU"}:
            return "always"
        return "never" if conditions == {b"NE"} else "sometimes"


def read(path: Path) -> list[OutgoingMessage]:
    """Returns the messages of a file in order, [] when no line begins with MSH.

    LF and CR LF become CR, the segment terminator (HL7 v2.5.1, 2.8). MLLP frame bytes, a byte order mark
    and batch segments (FHS, BHS, BTS, FTS) are left out.
    """
    bodies = split(path.read_bytes())
    return [OutgoingMessage(path.name, n, body) for n, body in enumerate(bodies, start=1)]


def split(content: bytes) -> list[bytes]:
    """Returns the messages in these bytes, each from its MSH to the next, with segments ended by CR."""
    text = FRAME_BYTES.sub(b"", content.removeprefix(BYTE_ORDER_MARK))
    text = text.replace(b"\r\n", b"\r").replace(b"\n", b"\r")
    starts = [match.start() for match in HEADER.finditer(text)]
    return [_segments(text[start:end]) for start, end in pairwise([*starts, len(text)])]


def _segments(message: bytes) -> bytes:
    lines = [line for line in message.split(b"\r") if line.strip()]
    kept = [line for line in lines if line[:3] not in BATCH_SEGMENTS]
    return b"".join(line + b"\r" for line in kept)
