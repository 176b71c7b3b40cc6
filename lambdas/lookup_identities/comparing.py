"""How a message's demographics are compared with the registry's: the rules, and nothing else.

- A value that is missing on either side contradicts nothing. HL7's explicit null (`""`) is missing.
- Surnames agree without regard to case, accents, hyphens, apostrophes, full stops and blanks. A
  German umlaut agrees with its two-letter spelling (Müller, Mueller, Muller), a Nordic or Polish
  letter with its plain one (Sørensen, Sorensen).
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


def _bare(folded: str) -> str:
    # NFKD splits an accented letter into the letter and its marks; only letters and digits stay.
    decomposed = unicodedata.normalize("NFKD", folded.translate(_PLAIN))
    return "".join(character for character in decomposed if character.isalnum())
