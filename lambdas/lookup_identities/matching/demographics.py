"""Compares a message's demographics with the registry's. Pure.

- A value that is missing on either side contradicts nothing, and is no agreement either: surname or
  birth date must agree (`agreement.agreement`). HL7's explicit null (`""`) is missing.
- Surnames agree without regard to case, accents, hyphens, apostrophes, full stops and blanks. A
  German umlaut agrees with its two-letter spelling (Müller, Mueller, Muller), a Nordic or Polish
  letter with its plain one (Sørensen, Sorensen).
- A double surname agrees with one of its names (García López with García, Smith-Jones with Jones):
  marriages and systems with one field leave only one. Particles (de, van, von …) make no name. This
  needs the same birth date, given in full on both sides (`agreement.agreement`).
- A former surname of the registry (maiden name, name before a change) agrees as the present one does.
- Birth dates are compared as far as both are given: 1958 agrees with 1958-02-14.
- Sexes contradict each other only where one side says female and the other male (HL7 table 0001):
  unknown, other, ambiguous and not applicable contradict nothing.
- Given names, addresses and phone numbers are not compared: they change, and are abbreviated.
"""

import re
import unicodedata

NULL = '""'

_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
PARTICLES = frozenset(
    {"da", "de", "del", "den", "der", "di", "do", "dos", "du", "el", "la", "le", "ten", "ter"}
    | {"van", "vom", "von", "y", "zu", "zum", "zur"}
)
"""Words inside a surname that are not a name of their own."""

_DATE = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?")
_SEXES = {"f": "F", "female": "F", "m": "M", "male": "M"}


def given(text: str) -> str:
    """The text without blanks around it; "" for HL7's explicit null."""
    stripped = text.strip()
    return "" if stripped == NULL else stripped


def spellings(name: str) -> frozenset[str]:
    """The bare forms under which a name is compared; empty when nothing is left of it."""
    folded = unicodedata.normalize("NFC", given(name)).casefold()
    return frozenset(form for form in (_bare(folded), _bare(folded.translate(_GERMAN))) if form)


def same_name(one: str, other: str) -> bool:
    """Whether two names agree; an empty one agrees with none."""
    return bool(spellings(one) & spellings(other))


def surnames_share_a_name(one: str, other: str) -> bool:
    """Whether one surname is part of the other, a double one, name by name."""
    first, second = _names(one), _names(other)
    return bool(first and second) and (first <= second or second <= first)


def same_full_birth_date(message: str, registry: str) -> bool:
    """Whether both dates are given to the day and are the same."""
    one, other = _DATE.match(given(message)), _DATE.match(given(registry))
    return one is not None and other is not None and one[0] == other[0] and len(one[0]) == 10


def birth_dates_agree(message: str, registry: str) -> bool | None:
    """Whether two ISO dates agree as far as both go; None when they cannot be compared."""
    one, other = _DATE.match(given(message)), _DATE.match(given(registry))
    if not one or not other:
        return None
    length = min(len(one[0]), len(other[0]))
    return one[0][:length] == other[0][:length]


def surnames_agree(message: str, registry: str) -> bool | None:
    """Whether two surnames agree; None when they cannot be compared."""
    if not spellings(message) or not spellings(registry):
        return None
    return same_name(message, registry)


def sexes_agree(message: str, registry: str) -> bool | None:
    """Whether two administrative sexes agree; None when one is neither female nor male."""
    one = _SEXES.get(given(message).casefold())
    other = _SEXES.get(given(registry).casefold())
    return one == other if one and other else None


def _names(surname: str) -> frozenset[str]:
    pieces = re.split(r"[\s\-\u2010-\u2013]+", given(surname).casefold())
    return frozenset(_bare(piece) for piece in pieces if piece not in PARTICLES and _bare(piece))


def _bare(folded: str) -> str:
    # NFKD splits an accented letter into the letter and its marks; only letters and digits stay.
    decomposed = unicodedata.normalize("NFKD", folded.translate(_PLAIN))
    return "".join(character for character in decomposed if character.isalnum())
