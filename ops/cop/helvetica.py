"""Widths of the characters of Helvetica, with which the lines of a PDF are filled. Pure.

The widths are those of Adobe's font metrics (AFM), in thousandths of the font's size. Each PDF reader has
Helvetica and Helvetica-Bold (ISO 32000-1, 9.6.2.2), so no font is embedded. Texts are in code page 1252.
"""

from collections.abc import Iterator

# fmt: off
REGULAR = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)
BOLD = (
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611,
    975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556,
    333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611,
    611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
)
# fmt: on
FIRST = 32
WIDE = 1000
"""Width assumed for a character outside ASCII: none of code page 1252 is wider, but for the em dash's own 1000."""


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Returns the width of a text in points."""
    widths = BOLD if bold else REGULAR
    codes = (ord(character) - FIRST for character in text)
    return sum(widths[code] if 0 <= code < len(widths) else WIDE for code in codes) * size / 1000


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
