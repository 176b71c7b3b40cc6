"""Compares a message's demographics with the registry's. Pure.

- A value that is missing on either side contradicts nothing, and is no agreement either: surname or
  birth date must agree (`agreement.agreement`). HL7's explicit null (`""`) is missing.
- Surnames agree without regard to case, accents, hyphens, apostrophes, full stops and blanks. A
  German or Nordic letter agrees with its two-letter spelling (Müller, Mueller, Muller; Sørensen,
  Soerensen, Sorensen; Ågren, Aagren, Agren; as ICAO Doc 9303, part 3, section 6, writes them in
  passports), a Polish letter with its plain one.
- Signs of a vowel or a voiced sound are part of a name, as in kana, Thai and the scripts of India.
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
_TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
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
    return frozenset(
        form for form in (_bare(folded), _bare(folded.translate(_TWO_LETTERS))) if form
    )


def same_name(one: str, other: str) -> bool:
    """Whether two names agree; an empty one agrees with none."""
    return bool(spellings(one) & spellings(other))


def surnames_share_a_name(one: str, other: str) -> bool:
    """Whether one surname is part of the other, a double one, name by name."""
    return any(
        bool(first and second) and (first <= second or second <= first)
        for first in _names(one)
        for second in _names(other)
    )


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


def _names(surname: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names in a surname, with plain letters and with the two-letter spellings."""
    folded = unicodedata.normalize("NFC", given(surname)).casefold()
    pieces = [one for one in re.split(r"[\s\-\u2010-\u2013]+", folded) if one not in PARTICLES]
    plain, two_letters = map(_bare, pieces), (_bare(one.translate(_TWO_LETTERS)) for one in pieces)
    return frozenset(filter(None, plain)), frozenset(filter(None, two_letters))


def _bare(folded: str) -> str:
    # NFKD splits an accented letter into the letter and its marks. Letters and digits stay, and marks that
    # make another sound: か and が, मी and मो.
    decomposed = unicodedata.normalize("NFKD", folded.translate(_PLAIN))
    return "".join(one for one in decomposed if one.isalnum() or _is_sound(one))


def _is_sound(character: str) -> bool:
    """Whether it is a mark that is no accent, no point of Hebrew or Arabic, and no variation selector.

    Canonical combining classes: https://www.unicode.org/reports/tr44/#Canonical_Combining_Class_Values
    """
    place = unicodedata.combining(character)
    is_accent = place == 1 or 10 <= place <= 36 or place >= 200
    is_mark = unicodedata.category(character) in ("Mn", "Mc")
    return is_mark and not is_accent and "VARIATION SELECTOR" not in unicodedata.name(character, "")
