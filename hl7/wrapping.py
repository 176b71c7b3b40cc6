r"""Undoes the escaping of another format that a gateway left on a whole message.

A web gateway sends `^~\&amp;` as MSH-2, a gateway that writes strings `^~\\&`. MSH-2 is the same in
nearly every message, so it shows that all fields were escaped (docs/adr/0032-msh-2-tolerance.md).
"""

import html
import re
from enum import StrEnum
from functools import cache

from hl7.warnings import MessageWarning, WarningCode


class Wrapping(StrEnum):
    """The format whose escaping MSH-2 shows."""

    HTML = "HTML"
    STRING = "string"


WARNINGS = {
    Wrapping.HTML: MessageWarning(WarningCode.DELIMITERS_ESCAPED, "MSH-2"),
    Wrapping.STRING: MessageWarning(WarningCode.DELIMITERS_DOUBLED, "MSH-2"),
}

# With the semicolon only: `&copy` or `&not` in a text is no character reference.
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_MAX_DEPTH = 3


def of_encoding_characters(encoding_characters: bytes) -> Wrapping | None:
    """The escaping that MSH-2 shows; None for none."""
    if b"&amp;" in encoding_characters:
        return Wrapping.HTML
    return Wrapping.STRING if b"\\\\" in encoding_characters else None


def unwrapped(text: str, wrapping: Wrapping) -> str:
    """The text of the message without that escaping."""
    if wrapping is Wrapping.STRING:
        return text.replace("\\\\", "\\").replace('\\"', '"')
    character = cache(html.unescape)
    for _ in range(_MAX_DEPTH):
        text = _REFERENCE.sub(lambda found: character(found[0]), text)
        if "&amp;" not in text[:32]:
            break
    return text
