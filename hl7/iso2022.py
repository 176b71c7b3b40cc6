"""Decodes text that switches character sets by escape sequences (ISO/IEC 2022; HL7 v2.9, 2.7.2 and 2.14.9.18).

Python's codecs read one family each (Japanese, Korean). Hospital systems mix: a Latin set by default,
and Japanese, Korean, Chinese, Greek or Cyrillic after a sequence. A sequence names the set of the bytes
below 0x80 (G0) or above (G1).
"""

import re
from collections.abc import Callable

from hl7.charset import ASCII

ESCAPE = b"\x1b"
JAPANESE = "iso2022_jp_ext"
"""Python's codec for an answer to a message that does not declare the sets it switches to."""

_SEQUENCE = re.compile(rb"\x1b([\x20-\x2f]{1,2}[\x30-\x7e])")
_DESIGNATES = re.compile(rb"\x1b(?:\([BJI]|\$[@AB]|\$[()][A-D]|\)I|-[A-MT])")

_HIGH = {
    b"-A": "iso8859-1",
    b"-B": "iso8859-2",
    b"-C": "iso8859-3",
    b"-D": "iso8859-4",
    b"-F": "iso8859-7",
    b"-G": "iso8859-6",
    b"-H": "iso8859-8",
    b"-L": "iso8859-5",
    b"-M": "iso8859-9",
    b"-T": "iso8859-11",
    b")I": "shift_jis",
    b"$)A": "gb2312",
    b"$)B": "euc_jp",
    b"$)C": "euc_kr",
}
"""Sets for bytes above 0x7F, by the sequence that designates them."""

_LOW = {
    b"$@": "euc_jp",
    b"$B": "euc_jp",
    b"$(B": "euc_jp",
    b"$(D": "jisx0212",
    b"$A": "gb2312",
    b"$(A": "gb2312",
    b"$(C": "euc_kr",
    b"(I": "katakana",
}
"""Sets in which bytes below 0x80 are characters. Any other G0 sequence means ASCII."""

_RAISED = bytes(byte | 0x80 for byte in range(256))


def switches(message: bytes) -> bool:
    """Whether the bytes hold a sequence that designates a character set."""
    return _DESIGNATES.search(message) is not None


def decode(message: bytes, default: Callable[[bytes], str]) -> str:
    """Returns the bytes as text. Never fails: bytes that a set does not define become U+FFFD.

    `default` decodes bytes above 0x7F until a sequence designates a set for them. A line break ends a set
    of bytes below 0x80, as a delimiter does in HL7.
    """
    low = high = ""
    parts: list[str] = []
    # Runs of the same sets are decoded together: a message may consist of sequences.
    runs: list[bytes] = []
    position = 0
    for found in _SEQUENCE.finditer(message):
        runs.append(message[position : found.start()])
        position = found.end()
        before = low, high
        if found[1] in _HIGH:
            high = _HIGH[found[1]]
        else:
            low = _LOW.get(found[1], "")
        if low or (low, high) != before:
            parts.append(_text(b"".join(runs), *before, default))
            runs.clear()
    parts.append(_text(b"".join(runs) + message[position:], low, high, default))
    return "".join(parts)


def _text(run: bytes, low: str, high: str, default: Callable[[bytes], str]) -> str:
    if low:
        inside, end, rest = run.partition(b"\r")
        return _shifted(inside, low) + end.decode(ASCII) + _text(rest, "", high, default)
    if run.isascii():
        return run.decode(ASCII)
    return run.decode(high, errors="replace") if high else default(run)


def _shifted(run: bytes, low: str) -> str:
    """A run of characters in bytes below 0x80, by the codec that has them above."""
    raised = run.translate(_RAISED)
    if low == "katakana":
        return raised.decode("shift_jis", errors="replace")
    if low == "jisx0212":
        raised = b"".join(b"\x8f" + raised[n : n + 2] for n in range(0, len(raised), 2))
        return raised.decode("euc_jp", errors="replace")
    return raised.decode(low, errors="replace")
