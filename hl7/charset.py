"""Finds a message's character set and decodes its bytes (HL7 v2.9, 2.14.9.18 and table 0211).

Delimiters are ASCII. In most character sets an ASCII byte is always that ASCII character, so a message
can be cut into fields as bytes. In the others a delimiter's byte can be part of another character: such
a message is transcoded to UTF-8 before it is cut (`hl7.header.find_header`, the one place).
"""

import codecs
import re
from dataclasses import dataclass, field
from functools import lru_cache

from hl7.tables import CHARACTER_SETS, INFORMAL_CHARACTER_SETS
from hl7.warnings import MessageWarning, WarningCode

UTF_8, WINDOWS_1252, LATIN_1, ASCII = "utf-8", "cp1252", "iso8859-1", "ascii"
MIXED = "utf-8 with cp1252"
"""Name of the reading in which valid UTF-8 is UTF-8 and every other byte is Windows-1252."""

_KEEPS_ASCII = re.compile(
    r"ascii|utf-8|iso8859-\d{1,2}|cp125\d|cp874|koi8-[ru]|euc_jp|euc_kr|gb2312"
)
"""Codecs in which a byte below 0x80 is always that ASCII character. Any other needs transcoding."""

_WINDOWS_OF = {
    "iso8859-1": "cp1252",
    "iso8859-15": "cp1252",
    "iso8859-2": "cp1250",
    "iso8859-9": "cp1254",
}
"""The Windows set that a sender means whose ISO set has the bytes 0x80 to 0x9F."""

_MARKS = (
    # UTF-32's little-endian mark begins with UTF-16's, so it is tried first.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    # Without a mark: the first bytes of `MSH`.
    (b"M\0\0\0S\0\0\0", "utf-32-le"),
    (b"\0\0\0M\0\0\0S", "utf-32-be"),
    (b"M\0S\0H\0", "utf-16-le"),
    (b"\0M\0S\0H", "utf-16-be"),
)

UNDECLARED = MessageWarning(WarningCode.CHARACTER_SET_ASSUMED, "MSH-18", "ISO 2022")
"""A message switches character sets by escape sequences and does not say so."""

_C1_CONTROLS = bytes(range(0x80, 0xA0))
_FILLED_1252 = {
    byte: bytes([byte]).decode(WINDOWS_1252, errors="ignore") or chr(byte) for byte in _C1_CONTROLS
}
_NUMBERED = re.compile(r"(?:ISO)?8859(\d{1,2})")
_WINDOWS = re.compile(r"(?:WINDOWS|WIN|MSCP|CP|IBMCP)(125\d|874|932|936|949|950)")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A message as text, the codec it was read by, and the repairs that reading took."""

    text: str = field(repr=False)
    codec: str
    repairs: tuple[MessageWarning, ...] = ()


@lru_cache(maxsize=256)
def codec_of(declared: str) -> str:
    """Python's codec for a value of MSH-18, also for its usual misspellings; "" for one that is not known."""
    name = declared.strip().upper()
    if name in CHARACTER_SETS:
        return CHARACTER_SETS[name]
    bare = re.sub(r"[^A-Z0-9]", "", name)
    if bare in INFORMAL_CHARACTER_SETS:
        return INFORMAL_CHARACTER_SETS[bare]
    for known, codec in CHARACTER_SETS.items():
        if bare == re.sub(r"[^A-Z0-9]", "", known):
            return codec
    if found := _NUMBERED.fullmatch(bare):
        part = int(found[1])
        return f"iso8859-{part}" if 1 <= part <= 16 and part != 12 else ""
    return f"cp{found[1]}" if (found := _WINDOWS.fullmatch(bare)) else ""


def wide_codec(declared: tuple[str, ...]) -> str:
    """The codec of MSH-18's repetitions under which a message must be transcoded; "" for none.

    A further repetition names a set that escape sequences switch to (HL7 2.14.9.18).
    """
    codecs_named = filter(None, map(codec_of, declared))
    return next((codec for codec in codecs_named if not _KEEPS_ASCII.fullmatch(codec)), "")


def marked_codec(message: bytes) -> str:
    """The UTF-16 or UTF-32 that a message's first bytes show; "" for none."""
    return next((codec for mark, codec in _MARKS if message.startswith(mark)), "")


def decode(message: bytes, declared: str) -> Decoded:
    """The message as text. Never fails. `declared` is MSH-18's first repetition; see `codec_used`."""
    codec, repairs = codec_used(message, declared)
    if message.isascii():
        return Decoded(message.decode(ASCII), codec, repairs)
    return Decoded(read_by(message, codec), codec, repairs)


def codec_used(message: bytes, declared: str) -> tuple[str, tuple[MessageWarning, ...]]:
    """Returns the codec by which the message is read, and the repairs that this takes.

    `declared` is tried first, then UTF-8, then Windows-1252 for the bytes that are not UTF-8; bytes that
    Windows-1252 does not define are read as ISO 8859-1. Bytes that contradict a declared set of one byte
    a character, because all are UTF-8, are read as UTF-8.
    """
    codec = codec_of(declared) if declared else ASCII
    repairs = [] if codec else [MessageWarning(WarningCode.CHARACTER_SET_UNKNOWN, "MSH-18")]
    if message.isascii():
        return codec or ASCII, tuple(repairs)
    if codec and codec != ASCII and not _contradicted(message, codec) and _fits(message, codec):
        return codec, tuple(repairs)
    if declared and codec:
        repairs.append(MessageWarning(WarningCode.CHARACTER_SET_WRONG, "MSH-18"))
    windows = _WINDOWS_OF.get(codec, "")
    if _fits(message, UTF_8):
        return UTF_8, (*repairs, _assumed("UTF-8"))
    if windows and _has_c1_controls(message):
        return windows, (*repairs, _assumed(f"Windows-{windows[2:]}"))
    if message.decode(UTF_8, errors="ignore").isascii():  # no character of UTF-8 in it
        return WINDOWS_1252, (*repairs, _assumed("Windows-1252"))
    return MIXED, (*repairs, _assumed("UTF-8 and Windows-1252"))


def _fits(message: bytes, codec: str) -> bool:
    try:
        message.decode(codec)
    except UnicodeError:
        return False
    return True


def _assumed(character_set: str) -> MessageWarning:
    return MessageWarning(WarningCode.CHARACTER_SET_ASSUMED, "MSH-18", character_set)


def _contradicted(message: bytes, codec: str) -> bool:
    """Whether the bytes show that a declared set of one byte a character is not theirs."""
    if not codec.startswith(("iso8859", "cp125", "koi8")):
        return False
    return _fits(message, UTF_8) or (codec in _WINDOWS_OF and _has_c1_controls(message))


def _has_c1_controls(message: bytes) -> bool:
    """Whether a byte from 0x80 to 0x9F occurs: ISO 8859 has only control characters there."""
    return message.translate(None, _C1_CONTROLS) != message


def windows_1252(message: bytes) -> str:
    """The bytes as Windows-1252, undefined ones as ISO 8859-1. Never fails."""
    return message.decode(LATIN_1).translate(_FILLED_1252)


_NOT_UTF_8 = re.compile(rb"(?:[\x80-\xbf]|[\xc0-\xff](?![\x80-\xbf]))+")
"""Bytes that begin no character of UTF-8. A run is decoded at once: one by one, two million take seconds."""


def _as_windows(fault: UnicodeError) -> tuple[str, int]:
    if not isinstance(fault, UnicodeDecodeError):
        raise fault
    run = _NOT_UTF_8.match(fault.object, fault.start)
    end = max(fault.end, run.end() if run else 0)
    return windows_1252(fault.object[fault.start : end]), end


codecs.register_error("hl7_windows_1252", _as_windows)


def read_by(raw: bytes, codec: str) -> str:
    """A value in the codec that its whole message was read by (`Decoded.codec`)."""
    if codec == WINDOWS_1252:
        return windows_1252(raw)
    if codec == MIXED:  # some senders join texts of two systems
        return raw.decode(UTF_8, errors="hl7_windows_1252")
    return raw.decode(codec, errors="replace")
