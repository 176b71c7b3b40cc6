"""HL7 v2 messages in files, as they are found on disks, and the few header fields that sending needs."""

import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from hl7.header import STANDARD_LETTERHEAD, find_header

# A segment named MSH at the start of a line: its fourth character is the field separator.
HEADER = re.compile(rb"(?:^|(?<=\r))MSH(?=[^0-9A-Za-z\r])")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Only where they frame: elsewhere 0x0B may be a soft line break in a text.
FRAME_BYTES = re.compile(rb"\x0b(?=MSH)|\x1c(?=[\r\n]|\Z)")
BATCH_SEGMENTS = (b"FHS", b"BHS", b"BTS", b"FTS")


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message to send: which file, which of its messages (from 1), and the bytes on the wire."""

    file: str
    number: int
    body: bytes = field(repr=False)

    @property
    def label(self) -> str:
        """The message as an operator would point at it: `admissions.hl7 #2`."""
        return f"{self.file} #{self.number}"

    @property
    def control_id(self) -> bytes:
        """MSH-10; empty when the header is too short to have one."""
        header = find_header(self.body)
        return header.control_id if header else b""

    @property
    def answered(self) -> str:
        """When the receiver is to answer: `always`, `never`, or `sometimes` (HL7 2.9.1, table 0155).

        MSH-15 and MSH-16 say so; both empty mean always, and `ER` or `SU` make silence an answer.
        """
        header = find_header(self.body)
        sent = header.letterhead if header else STANDARD_LETTERHEAD
        conditions = {sent.accept_acknowledgement, sent.application_acknowledgement} - {b""}
        if not conditions or conditions - {b"NE", b"ER", b"SU"}:
            return "always"
        return "never" if conditions == {b"NE"} else "sometimes"


def read(path: Path) -> list[OutgoingMessage]:
    """The messages of a file in order; none when no line begins with MSH.

    Segments end in CR on the wire (HL7 2.8): LF and CR LF, which editors write, become CR. MLLP
    frame bytes, a byte order mark and batch segments (FHS, BHS, BTS, FTS) are left out.
    """
    bodies = split(path.read_bytes())
    return [OutgoingMessage(path.name, n, body) for n, body in enumerate(bodies, start=1)]


def split(content: bytes) -> list[bytes]:
    """The messages in a file's bytes, each from its MSH up to the next, its segments ended by CR."""
    text = FRAME_BYTES.sub(b"", content.removeprefix(BYTE_ORDER_MARK))
    text = text.replace(b"\r\n", b"\r").replace(b"\n", b"\r")
    starts = [match.start() for match in HEADER.finditer(text)]
    return [_segments(text[start:end]) for start, end in pairwise([*starts, len(text)])]


def _segments(message: bytes) -> bytes:
    lines = [line for line in message.split(b"\r") if line.strip()]
    kept = [line for line in lines if line[:3] not in BATCH_SEGMENTS]
    return b"".join(line + b"\r" for line in kept)
