"""Widths of the characters of Helvetica, with which the lines of a PDF are filled. Pure.

The widths are those of Adobe's font metrics (AFM), in thousandths of the font's size. Each PDF reader has
Helvetica and Helvetica-Bold (ISO 32000-1, 9.6.2.2), so no font is embedded. Texts are in code page 1252.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

with Path(__file__).with_name("helvetica.csv").open(newline="") as _rows:
    WIDTHS = {chr(int(code)): (int(plain), int(bold)) for code, plain, bold in csv.reader(_rows)}
"""The widths of each printable character of ASCII: regular, and bold."""

WIDE = 1000
"""Width assumed for a character outside ASCII: none of code page 1252 is wider, but for the em dash's own 1000."""


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Returns the width of a text in points."""
    unknown = (WIDE, WIDE)
    return sum(WIDTHS.get(character, unknown)[bold] for character in text) * size / 1000


def lines(text: str, size: float, space: float, *, bold: bool = False) -> list[str]:
    """Returns the text in lines that fit the space; a word that is too long is cut into pieces."""
    found: list[str] = []
    for word in _words(text, size, space, bold):
        joined = f"{found[-1]} {word}" if found else word
        if found and width(joined, size, bold=bold) <= space:
            found[-1] = joined
        else:
            found.append(word)
    return found or [""]


def _words(text: str, size: float, space: float, bold: bool) -> Iterator[str]:
    for word in text.split():
        rest = word
        while width(rest, size, bold=bold) > space and len(rest) > 1:
            end = next(
                n
                for n in range(len(rest) - 1, 0, -1)
                if n == 1 or width(rest[:n], size, bold=bold) <= space
            )
            yield rest[:end]
            rest = rest[end:]
        yield rest
