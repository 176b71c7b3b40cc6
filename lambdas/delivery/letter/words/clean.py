"""Makes a text of a message safe to show: on one line, without characters that hide or reorder others.

Mail programs turn bare domains, mail addresses and telephone numbers into links, whatever the HTML says.
A sender's text must not become a contact: contact lines come from the sender's file and the directory.
"""

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


REMOVED = "[…]"
"""The replacement of a telephone number."""

# A point between a label and a word of two letters: `evil.example`, also `Dr.Lind`. Not `2.5` or `e.g.`.
_DOMAIN = re.compile(r"(?<=[^\W_])[.\u3002\uff0e\uff61](?=[^\W\d_]{2,})")
_AT = re.compile(r"\s*[@\uff20\ufe6b]\s*")
_SCHEME = re.compile(r"\b(mailto|tel|sms|callto|facetime|whatsapp|skype)\s*:", re.IGNORECASE)
# A date that begins with 0, alone or with a time: `05/12/2026`, `05.12.26`, `03/2026`.
_DATE = (
    r"0[1-9](?:([./-])(?:[0-2]\d|3[01])\1(?:(?:19|20)\d\d|\d\d)|[./-](?:19|20)\d\d)"
    r"(?![./-]?\d)(?! \d\d(?!:))"
)
# International form, North American groups of digits, or groups behind a leading 0. Ids and dates differ.
_TELEPHONE = re.compile(
    r"(?<![\w.])(?:"
    r"\+\s?\d(?:[ ().\-/]{0,2}\d){6,14}"
    r"|(?:1[ .-])?\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}"
    rf"|(?!\d{{4}}-\d\d-\d\d)(?!{_DATE})"
    r"\(?0\d{1,5}\)?[ ./-]{1,3}\d{2,4}(?:[ ./-]?\d{2,4}){1,3}"
    r")(?![\w])",
    re.ASCII,
)


def letter_text(text: str, limit: int = 160) -> str:
    """The cleaned text (`clean`), with domains and mail addresses broken up and telephone numbers replaced.

    `a@evil.example` becomes `a at evil. example`.
    """
    shown = clean(text, limit)
    shown = _TELEPHONE.sub(REMOVED, shown)
    shown = _SCHEME.sub(r"\1 ", shown)
    shown = _AT.sub(" at ", shown) if "@" in shown or not shown.isascii() else shown
    return _DOMAIN.sub(". ", shown).strip()
