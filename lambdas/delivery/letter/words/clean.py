"""Makes a text of a message safe to show: on one line, without characters that hide or reorder others."""

import re
import unicodedata

CUT = "…"

_DROPPED = frozenset({"Cf", "Cs", "Co", "Cn"})
"""Format characters (right-to-left overrides, zero-width ones), lone surrogates, unassigned."""
_SPACED = frozenset({"Cc", "Zl", "Zp"})
"""Controls and line breaks: a field is one line."""
_JOINERS = frozenset("\u200c\u200d")
"""Zero-width joiners: Persian, Hindi and other languages need them, and they reorder nothing."""

_MANY_MARKS = re.compile(r"([\u0300-\u036f]{3})[\u0300-\u036f]+")
_LINK = re.compile(r"(://|\bwww\.)", re.IGNORECASE)
_FORMULA = re.compile(r"[=@]|[+-](?![\d ])")
"""The first characters of a text that a spreadsheet would read as a formula."""
_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_STYLED = re.compile(r"[\uff01-\uff5e\U0001d400-\U0001d7ff]")
"""Full-width and mathematical letters, which look like Latin ones."""
_LOOKALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТХаеорсухіјѕԁһԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
    "ABESIJKMHOPCTXaeopcyxijsdhqwABEZHIKMNOPTYXo",
)
"""Cyrillic and Greek letters that look like Latin ones (Unicode TR 39)."""


def clean(text: str, limit: int = 160) -> str:
    """The text on one line, without invisible or steering characters, at most `limit` long.

    A text that was cut ends in `…`. Web addresses are broken up with a space, because mail clients
    turn them into links whatever the HTML says. Letters of other alphabets that look like Latin ones
    become those inside a Latin word; a word that is all Cyrillic or Greek stays. A text that a spreadsheet
    would calculate gets an apostrophe in front.
    """
    # Cut first: normalising a huge field would cost more than showing the little of it that fits.
    shown = unicodedata.normalize("NFC", text[: 4 * limit])
    shown = "".join(map(_tame, shown))
    shown = _STYLED.sub(lambda found: unicodedata.normalize("NFKC", found[0]), shown)
    shown = _WORD.sub(_one_alphabet, shown)
    shown = _LINK.sub(r"\1 ", _MANY_MARKS.sub(r"\1", shown))
    shown = " ".join(shown.split())
    if _FORMULA.match(shown):
        shown = f"'{shown}"
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip() + CUT


def _one_alphabet(word: re.Match[str]) -> str:
    return word[0].translate(_LOOKALIKES) if _LATIN.search(word[0]) else word[0]


def _tame(character: str) -> str:
    category = unicodedata.category(character)
    if category in _SPACED:
        return " "
    return "" if category in _DROPPED and character not in _JOINERS else character
