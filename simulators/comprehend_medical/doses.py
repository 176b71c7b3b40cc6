"""Finds the attributes after a drug's name: strength, dosage, form, route, frequency, duration."""

import re
from dataclasses import dataclass

REACH = 80
"""Characters after a drug's name in which its attributes are searched."""

_FORM = r"(?:tablets?|tabs?|capsules?|caps?|patch(?:es)?|solution|suspension|cream|ointment|drops?|inhaler|puffs?|spray|injection|syrup|er|xr|sr)"
_AMOUNT = (
    r"\d[\d,.]*(?:\s*[-–/]\s*\d[\d,.]*)?\s*"
    r"(?:mgs?|mcgs?|µg|ug|grams?|gm?|units?|iu|meqs?|mls?|cc|puffs?|drops?|%)"
)
_PATTERNS = {
    "FORM": re.compile(rf"\b{_FORM}\b", re.IGNORECASE),
    "ROUTE_OR_MODE": re.compile(
        r"\b(?:po|p\.o\.|by mouth|orally|oral|iv|i\.v\.|intravenous(?:ly)?|im|intramuscular(?:ly)?|"
        r"sc|sq|subq|subcut(?:aneous(?:ly)?)?|sl|sublingual(?:ly)?|pr|rectally|topical(?:ly)?|inhaled|"
        r"via nebulizer|transdermal)(?!\w)",
        re.IGNORECASE,
    ),
    "FREQUENCY": re.compile(
        r"\b(?:(?:once|twice|three times|four times|\d+ times)(?: a| per)? ?(?:daily|day|week)|"
        r"every (?:\d+(?:-\d+)? hours?|other day|morning|evening|night|day)|daily|nightly|weekly|"
        r"at bedtime|bid|b\.i\.d\.|tid|t\.i\.d\.|qid|q\.i\.d\.|qd|q\.d\.|qhs|qam|qpm|qod|"
        r"q\s?\d+(?:-\d+)?\s?h(?:rs?|ours?)?|prn|as needed)(?!\w)",
        re.IGNORECASE,
    ),
    "DURATION": re.compile(
        r"\b(?:(?:for|x) ?\d+ ?(?:days?|weeks?|wks?|months?|d|wk)|until (?:finished|follow-up))(?!\w)",
        re.IGNORECASE,
    ),
    "RATE": re.compile(r"\b\d[\d.]* ?(?:mL|ml|mcg|mg|units|g)/(?:h|hr|hour|min|kg/h|kg/min)(?!\w)"),
}
_DOSE = re.compile(rf"(?<![\w.]){_AMOUNT}(?!\w)", re.IGNORECASE)
_BEHIND_FORM = re.compile(rf"\s*{_FORM}\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute type of `DetectEntitiesV2` and its offsets in the note."""

    type: str
    begin: int
    end: int


def attributes(text: str, begin: int, end: int) -> list[Attribute]:
    """Returns the attributes between a drug's end and the next mention, in order.

    An amount right before a form is a STRENGTH ("10 mg tablet"), any other a DOSAGE.
    """
    stop = min(end, begin + REACH)
    found = []
    for dose in _DOSE.finditer(text, begin, stop):
        kind = "STRENGTH" if _BEHIND_FORM.match(text, dose.end(), stop) else "DOSAGE"
        found.append(Attribute(kind, dose.start(), dose.end()))
    for kind, pattern in _PATTERNS.items():
        first = pattern.search(text, begin, stop)
        if first:
            found.append(Attribute(kind, first.start(), first.end()))
    return sorted(found, key=lambda attribute: attribute.begin)
