"""Changes a message's text for a letter, so that mail programs make no link or contact of it.

Mail programs turn bare domains, mail addresses and telephone numbers into links, whatever the HTML says.
A sender's text must not become a contact: contact lines come from the sender's file and the directory.
"""

import re

from lambdas.delivery.letter.words.clean import clean

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
