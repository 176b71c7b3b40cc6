"""Finds a message's character set and decodes its bytes (HL7 v2.9, 2.14.9.18 and table 0211).

Delimiters are ASCII. In most character sets an ASCII byte is always that ASCII character, so a message
can be cut into fields as bytes. In the others (`ASCII_IN_CHARACTERS`) a delimiter's byte can be
part of another character: such a message is transcoded to UTF-8 before it is cut.
"""

import codecs
from dataclasses import dataclass, field

from hl7.tables import CHARACTER_SETS, INFORMAL_CHARACTER_SETS
from hl7.warnings import MessageWarning, WarningCode

UTF_8, WINDOWS_1252, LATIN_1, ASCII = "utf-8", "cp1252", "iso8859-1", "ascii"

ASCII_IN_CHARACTERS = frozenset({"big5", "gb18030", "iso2022_jp_ext", "utf-16", "utf-32"})
"""Codecs whose characters may contain bytes below 0x80, the delimiters' among them."""

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

_FILLED_1252 = {
    byte: bytes([byte]).decode(WINDOWS_1252, errors="ignore") or chr(byte)
    for byte in range(0x80, 0xA0)
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A message as text, the codec it was read by, and the repairs that reading took."""

    text: str = field(repr=False)
    codec: str
    repairs: tuple[MessageWarning, ...] = ()


def codec_of(declared: str) -> str:
    """Python's codec for a value of MSH-18; "" for one that is not known."""
    name = declared.strip().upper()
    return CHARACTER_SETS.get(name) or INFORMAL_CHARACTER_SETS.get(name, "")


def wide_codec(declared: tuple[str, ...]) -> str:
    """The codec of MSH-18's repetitions under which a message must be transcoded; "" for none.

    A further repetition names a set that escape sequences switch to (HL7 2.14.9.18).
    """
    for name in declared:
        codec = codec_of(name)
        if codec in ASCII_IN_CHARACTERS:
            return codec
    return ""


def marked_codec(message: bytes) -> str:
    """The UTF-16 or UTF-32 that a message's first bytes show; "" for none."""
    for mark, codec in _MARKS:
        if message.startswith(mark):
            return codec
    return ""


def decode(message: bytes, declared: str) -> Decoded:
    """The message as text. Never fails.

    `declared` is MSH-18's first repetition. It is tried first, then UTF-8, then Windows-1252;
    bytes that Windows-1252 does not define are read as ISO 8859-1.
    """
    codec = codec_of(declared) if declared else ASCII
    repairs = [] if codec else [MessageWarning(WarningCode.CHARACTER_SET_UNKNOWN, "MSH-18")]
    if codec == LATIN_1 and has_c1_controls(message):
        # Where ISO 8859-1 has control characters, senders mean the quotes and dashes of Windows-1252.
        repairs.append(_assumed("Windows-1252"))
        return Decoded(windows_1252(message), WINDOWS_1252, tuple(repairs))
    if codec:
        try:
            return Decoded(message.decode(codec), codec, tuple(repairs))
        except UnicodeError:
            if declared:
                repairs.append(MessageWarning(WarningCode.CHARACTER_SET_WRONG, "MSH-18"))
    try:
        text = message.decode(UTF_8)
    except UnicodeError:
        repairs.append(_assumed("Windows-1252"))
        return Decoded(windows_1252(message), WINDOWS_1252, tuple(repairs))
    repairs.append(_assumed("UTF-8"))
    return Decoded(text, UTF_8, tuple(repairs))


def _assumed(character_set: str) -> MessageWarning:
    return MessageWarning(WarningCode.CHARACTER_SET_ASSUMED, "MSH-18", character_set)


def has_c1_controls(message: bytes) -> bool:
    """Whether a byte from 0x80 to 0x9F occurs: ISO 8859-1 has only control characters there."""
    return not message.isascii() and message.translate(None, _C1_CONTROLS) != message


_C1_CONTROLS = bytes(range(0x80, 0xA0))


def windows_1252(message: bytes) -> str:
    """The bytes as Windows-1252, undefined ones as ISO 8859-1. Never fails."""
    return message.decode(LATIN_1).translate(_FILLED_1252)


def read_by(raw: bytes, codec: str) -> str:
    """A value in the codec that its whole message was read by (`Decoded.codec`)."""
    if codec == WINDOWS_1252:
        return windows_1252(raw)
    return raw.decode(codec, errors="replace")
