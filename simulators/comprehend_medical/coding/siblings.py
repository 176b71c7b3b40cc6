"""Finds a more specific code of the same category: "paroxysmal" changes I48.91 to I48.0."""

from collections.abc import Sequence
from functools import cache

from simulators.comprehend_medical.coding import linker
from simulators.comprehend_medical.terms.ontology import codes

CATEGORY = 3
"""The number of characters of a code's category."""

COST = 0.8
"""Penalty for a word of the name that is not in the note, relative to a word that is."""

KEPT = 0.3
"""Score for a word that the known code's names and the sibling's share."""


def closest(known: Sequence[str], said: frozenset[str], named: frozenset[str]) -> str:
    """Returns the code of the same categories whose name has the most words of the note and the fewest others.

    `said` are the words around a condition, `named` its own. Returns "" if no name has a word of the note.
    """
    said = said - linker.SAYS_LITTLE
    if not said:
        return ""
    plain = frozenset().union(*_names(known[0])) - linker.SAYS_LITTLE
    best, best_gain = "", 0.0
    for code in dict.fromkeys(c for one in known for c in _category(one[:CATEGORY])):
        for name in _names(code):
            hits = name & said
            if not hits - frozenset(linker.SIDES):
                continue  # Laterality alone does not select a sibling.
            gain = _weight(hits) + KEPT * _weight(name & plain)
            gain -= COST * _weight(name - said - named - plain - linker.SAYS_LITTLE)
            if gain > best_gain:
                best, best_gain = code, gain
    return best if best != known[0] else ""


def _weight(words: frozenset[str]) -> float:
    return sum(map(linker.rarity, words))


@cache
def _names(code: str) -> tuple[frozenset[str], ...]:
    names = codes()[code][1].split("|") if code in codes() else []
    return tuple(frozenset(name.split()) for name in names if name)


@cache
def _category(category: str) -> tuple[str, ...]:
    return tuple(code for code in codes() if code.startswith(category))
