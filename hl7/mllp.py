"""MLLP framing without I/O: bytes in, frames out (HL7 v2 Transport, MLLP release 1).

A frame is `0x0B <message> 0x1C 0x0D`. Real senders deviate, so these rules apply:

- 0x1C ends a frame when 0x0D, 0x0A, 0x0B or 0x00 follows it, when a segment end precedes it, or
  when nothing follows it (`settle`, `end`). Any other 0x1C is text: no segment begins with one.
- 0x0B inside a frame begins a new one when `MSH` with its delimiters follows; the old one was aborted.
  Any other 0x0B is text: word processors write soft line breaks with it.
- Between frames 0x00, 0x0D and 0x0A are skipped and counted, and so are other bytes up to the next
  0x0B. `MSH` there begins a frame whose start block is missing.

Each byte is examined a fixed number of times, however the stream is cut into reads. Runs of bytes are
searched in compiled code, so that a crafted stream costs no more than another.
"""

import re
import sys
from dataclasses import dataclass, field
from enum import StrEnum

START_BLOCK = 0x0B
END_BLOCK = 0x1C
CARRIAGE_RETURN = 0x0D

_VT, _FS, _CR = bytes([START_BLOCK]), bytes([END_BLOCK]), bytes([CARRIAGE_RETURN])
_SEPARATORS = b"\r\n\x00"
_MSH = b"MSH"
# MSH-1, then MSH-2 or nothing in it: `MSH` is also the short name of a hospital in a text.
_NEXT_FRAME = re.compile(rb"\x0bMSH([!-/:-@\[-`{-~])(?:\1|[!-/:-@\[-`{-~]{2})")
_NEXT_FRAME_BYTES = 7
_MANY_SEPARATORS = re.compile(rb"[\r\n\x00]+")
_START_BLOCKS = re.compile(rb"\x0b+")
# A 0x1C that ends a frame: what follows it, or a segment end before it.
_FRAME_END = re.compile(rb"\x1c(?:(?=[\r\n\x0b\x00])|(?<=[\r\n]\x1c)|\Z)")
# Bytes that end junk: a start block, or a 0x1C and separators before MSH.
_JUNK_END = re.compile(rb"\x0b|\x1c[\r\n\x00]*+(?=MSH|(?:MS?)?\Z)")

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # .NET's StreamWriter begins a connection with it
_BLANKS = b" \t\r\n\x00" + _BYTE_ORDER_MARK
MAX_LEADING_BLANKS = 64
"""Most blanks, line ends, NULs and bytes of a byte order mark before the first start block of a connection."""
MAX_BYTES_WITHOUT_ROOM = 65_536
"""Most bytes kept of a frame that is dropped because no memory is left: its header, for the answer."""
MAX_FRAMES_AT_ONCE = 200
"""Most frames that one call of `Decoder.feed` returns."""


class FrameFault(StrEnum):
    """Fault of a frame that was not received as sent by the rules."""

    OVERSIZE = "oversize"
    NO_START_BLOCK = "no_start_block"
    ABORTED = "aborted"
    CUT_OFF = "cut_off"
    NO_ROOM = "no_room"


@dataclass(slots=True)  # not frozen: one is made for each message
class Frame:
    """One frame's bytes without its blocks.

    With a fault, `message` holds the bytes received; of an oversize frame, the first `max_bytes`.
    """

    message: bytes = field(repr=False)
    fault: FrameFault | None = None


def wrap(message: bytes) -> bytes:
    """The message framed for sending."""
    return b"\x0b%b\x1c\r" % message


class Decoder:
    """Cuts one connection's bytes into frames. Buffers at most one frame and the bytes of one read.

    With `strict_start`, only blanks and a byte order mark may precede the first start block: other bytes
    show another protocol (HTTP, TLS), in which a frame must not be searched for. `MSH` there is a frame
    without its start block.
    """

    def __init__(self, max_bytes: int, *, strict_start: bool = False) -> None:
        self._max_bytes = max_bytes
        self._before_start = strict_start
        self._leading_blanks = 0
        self.is_foreign = False
        """Whether the first bytes were not MLLP. No more frames are returned then."""
        self.has_more = False
        """Whether `feed` stopped at its limit of frames: call it again, with no data."""
        self._buffer = bytearray()
        self._scanned = 0
        self._inside = False
        self._has_start_block = True
        self._skipping = False
        self._in_junk = False
        self._after_end = False
        self.separator_bytes = 0
        self.junk_bytes = 0

    @property
    def in_frame(self) -> bool:
        """Whether a frame has begun and not yet ended."""
        return self._inside

    @property
    def may_have_ended(self) -> bool:
        """Whether the last byte is a 0x1C that may be text or an end block without its 0x0D."""
        return self._inside and self._scanned < len(self._buffer) and self._buffer[-1] == END_BLOCK

    @property
    def buffered(self) -> int:
        """The number of bytes held back."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """Returns the frames that `data` completes, in order, faulty ones included.

        It stops at `MAX_FRAMES_AT_ONCE`, and `has_more` says so.
        """
        if not self._inside and not self._buffer and self._is_one_frame(data):
            self._in_junk = self._after_end = self._before_start = False
            return [Frame(data[1:-2])]
        if self._before_start and not self._begins_well(data):
            return []
        return self._cut_frames(data)

    def _begins_well(self, data: bytes) -> bool:
        """Whether a connection's first bytes may be MLLP; sets `is_foreign` where they are not."""
        if self.is_foreign:
            return False
        if self._inside:
            return True  # MSH without its start block
        first = (bytes(self._buffer) + data).lstrip(_BLANKS)  # the buffer holds `M` or `MS`
        self._leading_blanks += len(data) - len(data.lstrip(_BLANKS))
        if self._leading_blanks > MAX_LEADING_BLANKS or (
            first and not first.startswith(_VT) and not _MSH.startswith(first[:3])
        ):
            self.is_foreign = True
            return False
        return True

    def _cut_frames(self, data: bytes) -> list[Frame]:
        self.has_more = False
        frames: list[Frame] = []
        kept = len(self._buffer)
        if kept:
            self._buffer += data
        # Whole frames in one read are cut from the read itself: one copy of the message.
        buffer: bytes | bytearray = self._buffer if kept else data
        position = 0
        while True:
            if not self._inside:
                position = self._seek_start(buffer, position)
                if not self._inside:
                    break
                self._scanned = position
            position, ended = self._seek_end(buffer, position, frames)
            if not ended:
                break
            if len(frames) >= MAX_FRAMES_AT_ONCE:
                self.has_more = True
                break
        self._keep(buffer, position)
        return frames

    def settle(self) -> list[Frame]:
        """Returns the frame that `may_have_ended`, because no byte has followed in time."""
        if not self.may_have_ended:
            return []
        frames: list[Frame] = []
        self._finish(self._buffer, 0, self._scanned, frames)
        self._buffer.clear()
        self._scanned = 0
        return frames

    def end(self, fault: FrameFault = FrameFault.CUT_OFF) -> list[Frame]:
        """Returns the frame that the end of the stream, or a timeout, completes or cuts off. Resets the decoder.

        `fault` is that of a frame without its end.
        """
        frames = []
        while self.has_more:
            frames += self._cut_frames(b"")
        frames += self.settle()
        if self._inside and not self._skipping:
            most = MAX_BYTES_WITHOUT_ROOM if fault is FrameFault.NO_ROOM else len(self._buffer)
            frames.append(Frame(bytes(memoryview(self._buffer)[:most]), fault))
        elif not self._inside:
            self.junk_bytes += len(self._buffer)
        self._inside = self._skipping = self._in_junk = self._after_end = False
        self._buffer.clear()
        self._scanned = 0
        return frames

    def _is_one_frame(self, data: bytes) -> bool:
        """Whether the bytes are exactly one frame, as in nearly every read."""
        last = len(data) - 2
        return (
            data.startswith(_VT)
            and 0 < data.find(_FS) == last <= self._max_bytes
            and data.endswith(_CR)
            and data.find(_VT, 1) < 0
        )

    def _seek_start(self, buffer: bytes | bytearray, position: int) -> int:
        """Skips bytes between frames. Returns the index where a body begins, or of bytes still undecided."""
        size = len(buffer)
        while position < size:
            byte = buffer[position]
            if byte == START_BLOCK:
                self._begin(has_start_block=True)
                return position + 1
            if self._in_junk:
                position = self._pass_junk(buffer, position)
            elif byte in _SEPARATORS:
                after = _end_of(_MANY_SEPARATORS, buffer, position)
                ends_frame = self._after_end and byte == CARRIAGE_RETURN
                self.separator_bytes += after - position - ends_frame
                self._after_end = False
                position = after
            elif self._before_start and byte in _BYTE_ORDER_MARK:
                self.junk_bytes += 1
                position += 1
            elif _MSH.startswith(head := bytes(buffer[position : position + 3])):
                if head == _MSH:
                    self._begin(has_start_block=False)
                return position
            else:
                self._in_junk = True
        return position

    def _pass_junk(self, buffer: bytes | bytearray, position: int) -> int:
        """Returns the index of the next start block, or behind a 0x1C after which MSH may begin."""
        start, after = _span_of(_JUNK_END, buffer, position)
        if start < 0:
            after = len(buffer)
        elif buffer[start] == START_BLOCK:
            after = start
        else:
            self._in_junk = False
        self.junk_bytes += after - position
        return after

    def _begin(self, *, has_start_block: bool) -> None:
        self._inside = True
        if has_start_block:
            self._before_start = False
        self._has_start_block = has_start_block
        self._skipping = self._in_junk = self._after_end = False

    def _seek_end(
        self, buffer: bytes | bytearray, start: int, frames: list[Frame]
    ) -> tuple[int, bool]:
        """Searches the end of the frame whose body is at `start`. Returns the next index, and whether it ended."""
        size = len(buffer)
        end = -2  # not searched yet
        while True:
            scan = self._scanned
            if scan == start:  # repeated start blocks begin the frame once
                start = scan = self._scanned = max(_end_of(_START_BLOCKS, buffer, start), start)
            if end != -1 and end < scan:
                end = self._find_end(buffer, start, scan)
            limit = end if end >= 0 else size
            restart = buffer.find(_VT + _MSH, scan, limit)
            if restart >= 0:
                restart = _span_of(_NEXT_FRAME, buffer, restart, limit)[0]
            if restart >= 0 and self._before_start:
                # Another protocol whose first bytes are MSH must not carry a frame in its body.
                self.is_foreign = True
                return size, False
            if restart >= 0:
                self._abort(buffer, start, restart, frames)
                start = self._scanned = restart + 1
                self._begin(has_start_block=True)
                if len(frames) >= MAX_FRAMES_AT_ONCE:
                    self.has_more = True
                    break
                continue
            if end < 0:
                self._scanned = max(scan, size - _undecided(buffer))
                break
            self._scanned = end
            if end + 1 < size or end == start or buffer[end - 1] in b"\r\n":
                self._finish(buffer, start, end, frames)
                return end + 1, True
            break  # the last byte is a 0x1C: text, or an end block whose 0x0D has not come
        return self._check_size(buffer, start, frames), False

    @staticmethod
    def _find_end(buffer: bytes | bytearray, start: int, scan: int) -> int:
        """Index of the next 0x1C that ends the frame or is the last byte; -1 for none."""
        end = buffer.find(_FS, scan)
        return end if end in (-1, start) else _span_of(_FRAME_END, buffer, end)[0]

    def _finish(self, buffer: bytes | bytearray, start: int, end: int, frames: list[Frame]) -> None:
        """Adds the frame whose body is from `start` to `end`, the index of its end block."""
        if not self._skipping:
            fault = None if self._has_start_block else FrameFault.NO_START_BLOCK
            frame = self._cut(buffer, start, end, fault)
            twice = end > start and buffer[end - 1] == END_BLOCK
            if twice and frame.fault is not FrameFault.OVERSIZE:
                frame = Frame(frame.message.rstrip(_FS), fault)
            frames.append(frame)
        self._inside = self._skipping = False
        self._after_end = True

    def _abort(self, buffer: bytes | bytearray, start: int, end: int, frames: list[Frame]) -> None:
        """Adds the received part of a frame that another one interrupts."""
        if end > start and not self._skipping:
            frames.append(self._cut(buffer, start, end, FrameFault.ABORTED))

    def _cut(
        self, buffer: bytes | bytearray, start: int, end: int, fault: FrameFault | None
    ) -> Frame:
        if end - start > self._max_bytes:
            end, fault = start + self._max_bytes, FrameFault.OVERSIZE
        return Frame(bytes(memoryview(buffer)[start:end]), fault)

    def _check_size(self, buffer: bytes | bytearray, start: int, frames: list[Frame]) -> int:
        """Ends a body that is too long without waiting for its end. Returns the index of the rest."""
        if not self._skipping and self._scanned - start > self._max_bytes:
            frames.append(self._cut(buffer, start, self._scanned, None))
            self._skipping = True
        # One byte before the scan is kept: whether it is a segment end decides about a 0x1C after it.
        return max(start, self._scanned - 1) if self._skipping else start

    def _keep(self, buffer: bytes | bytearray, position: int) -> None:
        if buffer is self._buffer:
            del self._buffer[:position]
        else:
            self._buffer += buffer[position:]
        self._scanned = max(0, self._scanned - position)


def _end_of(pattern: re.Pattern[bytes], buffer: bytes | bytearray, position: int) -> int:
    """The end of the pattern that matches at `position`; -1 without a match."""
    # No match object is kept: it would hold the buffer, which is changed next.
    found = pattern.match(buffer, position)
    return found.end() if found else -1


def _span_of(
    pattern: re.Pattern[bytes], buffer: bytes | bytearray, position: int, limit: int = sys.maxsize
) -> tuple[int, int]:
    """The begin and end of the pattern's next match before `limit`; -1 and -1 without one."""
    found = pattern.search(buffer, position, limit)
    return found.span() if found else (-1, -1)


def _undecided(buffer: bytes | bytearray) -> int:
    """The number of last bytes that may begin another frame: 0x0B with a part of MSH and its delimiters."""
    size = len(buffer)
    start = buffer.rfind(_VT, max(size - _NEXT_FRAME_BYTES + 1, 0))
    begins = start >= 0 and _MSH.startswith(bytes(buffer[start + 1 : start + 4]))
    return size - start if begins else 0
