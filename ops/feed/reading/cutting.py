"""Cuts the bytes of a feed file into messages, and counts every byte that belongs to none.

A capture of MLLP is cut by the receiver's own decoder. Any other file is cut where a line begins with
MSH; batch segments (FHS, BHS, BTS, FTS; HL7 v2.9, 2.10.3) end a message and are skipped.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from hl7 import charset
from hl7.mllp import Decoder, Frame, FrameFault

MAX_MESSAGE_BYTES = 2 * 1024 * 1024
"""The receiver's default limit (ENS_MAX_MESSAGE_BYTES)."""

CHUNK_BYTES = 256 * 1024
FRAMING = b" \t\r\n\x00\x0b\x1c"
"""Bytes around messages that are not content."""

_PUNCTUATION = rb"[!-/:-@\[-`{-~]"
_START = re.compile(
    rb"(?:\A(?:\xef\xbb\xbf)?|(?<=[\r\n\x1c\x0b]))[ \t\x0b\x00]*((?i:MSH|FHS|BHS|BTS|FTS))%b"
    % _PUNCTUATION
)
_FRAMED = re.compile(rb"\x0b[ \t\r\n]*(?i:MSH|FHS|BHS)%b" % _PUNCTUATION)
_INSIDE_A_LINE = re.compile(rb"[^\r\n]MSH[|^]")
_LOOK_BACK = 64
"""Bytes at the end of the buffer in which a start may still be incomplete."""


class ByteStream(Protocol):
    """A stream of bytes: an open file, or one that `gzip` or `zipfile` decompresses."""

    def read(self, size: int = -1, /) -> bytes:
        """Returns at most `size` bytes, all for -1, and b"" at the end."""


class Form(StrEnum):
    """The form of a file."""

    MLLP = "mllp"
    LINES = "lines"
    WIDE = "wide"


@dataclass(frozen=True, slots=True)
class CutMessage:
    """One message as it was cut. `size` counts its bytes in the file; `message` of an oversize one is cut."""

    message: bytes = field(repr=False)
    size: int
    fault: FrameFault | None = None


@dataclass(slots=True)
class Cutter:
    """Cuts one file. After `pieces` has ended, the counts are those of the whole file.

    `total` are the bytes read. Those of no piece were skipped: framing, batch segments, and anything that
    is no message. `batch_segments` counts FHS, BHS, BTS and FTS, `inside_lines` the MSH that stand behind
    other text of a skipped line.
    """

    form: Form = Form.LINES
    total: int = 0
    batch_segments: int = 0
    inside_lines: int = 0
    empty_frames: int = 0

    def pieces(
        self, stream: ByteStream, max_bytes: int = MAX_MESSAGE_BYTES
    ) -> Iterator[CutMessage]:
        """Yields the messages of the stream in order. Buffers one message and one chunk."""
        head = stream.read(CHUNK_BYTES)
        self.form = _form(head)
        cut = {Form.MLLP: self._of_frames, Form.LINES: self._of_lines, Form.WIDE: self._of_whole}
        yield from cut[self.form](self._chunks(head, stream), max_bytes)

    def _chunks(self, head: bytes, stream: ByteStream) -> Iterator[bytes]:
        while head:
            self.total += len(head)
            yield head
            head = stream.read(CHUNK_BYTES)

    def _of_frames(self, chunks: Iterator[bytes], max_bytes: int) -> Iterator[CutMessage]:
        decoder = Decoder(max_bytes)
        for chunk in chunks:
            yield from self._filled(decoder.feed(chunk))
        yield from self._filled(decoder.end())

    def _filled(self, frames: list[Frame]) -> Iterator[CutMessage]:
        for frame in frames:
            if frame.fault is None and not frame.message.strip(FRAMING):
                self.empty_frames += 1
            else:
                yield CutMessage(frame.message, len(frame.message), frame.fault)

    def _of_whole(self, chunks: Iterator[bytes], max_bytes: int) -> Iterator[CutMessage]:
        """The whole file as one message: in UTF-16 and UTF-32, lines cannot be found by their bytes."""
        kept, size = bytearray(), 0
        for chunk in chunks:
            size += len(chunk)
            kept += chunk[: max(0, max_bytes + 1 - len(kept))]
        yield _piece(bytes(kept), size, max_bytes)

    def _of_lines(self, chunks: Iterator[bytes], max_bytes: int) -> Iterator[CutMessage]:
        line_cutter = _LineCutter(max_bytes)
        for chunk in chunks:
            for part in line_cutter.feed(chunk):
                yield from self._counted(part, max_bytes)
        for part in line_cutter.end():
            yield from self._counted(part, max_bytes)

    def _counted(self, part: "_Stretch", max_bytes: int) -> Iterator[CutMessage]:
        if part.name == b"MSH":
            message = part.content.strip(FRAMING)
            # Of an oversize part only the beginning is held, so its end cannot be stripped.
            framing = len(part.content) - len(message) if part.size == len(part.content) else 0
            yield _piece(message, part.size - framing, max_bytes)
            return
        self.batch_segments += bool(part.name)
        self.inside_lines += len(_INSIDE_A_LINE.findall(part.content))


@dataclass(slots=True)
class _Stretch:
    """The bytes from one start to the next; `name` is b"" for those before the first start."""

    name: bytes
    content: bytes
    size: int


class _LineCutter:
    """Cuts a stream at the lines that begin with MSH or a batch segment."""

    def __init__(self, max_bytes: int) -> None:
        self._most = max_bytes + 1
        self._buffer = bytearray()
        self._name = b""
        self._scanned = 0
        self._dropped = 0

    def feed(self, chunk: bytes) -> Iterator[_Stretch]:
        """Yields the parts that the chunk completes."""
        self._buffer += chunk
        yield from self._cut(undecided=_LOOK_BACK)
        excess = len(self._buffer) - self._most - CHUNK_BYTES
        if excess > 0:
            # The bytes between the kept beginning and the end, where a start may begin.
            del self._buffer[self._most : self._most + excess]
            self._dropped += excess
            self._scanned = max(self._most, self._scanned - excess)

    def end(self) -> Iterator[_Stretch]:
        """Yields what is left at the end of the stream."""
        yield from self._cut(undecided=0)
        if self._buffer:
            yield self._part(len(self._buffer))

    def _cut(self, undecided: int) -> Iterator[_Stretch]:
        """Yields the parts that end before the last `undecided` bytes."""
        while found := self._found(len(self._buffer) - undecided):
            if found.start() > 0:
                yield self._part(found.start())
            # A match reads from the buffer, so its values are taken before the buffer changes.
            self._name, self._scanned = found[1].upper(), found.end() - found.start()
            del self._buffer[: found.start()]
        self._scanned = max(self._scanned, len(self._buffer) - undecided)

    def _found(self, until: int) -> re.Match[bytes] | None:
        at_start = self._scanned == 0 and not self._name
        # One byte before, for the look-behind; `\A` matches at the first byte of the file alone.
        found = _START.search(self._buffer, max(self._scanned - 1, 0))
        if found is None or found.start() > until or (found.start() == 0 and not at_start):
            return None
        return found

    def _part(self, end: int) -> _Stretch:
        content = bytes(self._buffer[: min(end, self._most)])
        part = _Stretch(self._name, content, end + self._dropped)
        self._dropped = 0
        return part


def _piece(message: bytes, size: int, max_bytes: int) -> CutMessage:
    if size > max_bytes:
        return CutMessage(message[:max_bytes], size, FrameFault.OVERSIZE)
    return CutMessage(message, size)


def _form(head: bytes) -> Form:
    if charset.marked_codec(head):
        return Form.WIDE
    return Form.MLLP if _FRAMED.search(head) else Form.LINES
