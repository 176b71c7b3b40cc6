"""Finds ICD-10-CM codes for a condition by shared words, weighted by their rarity."""

import math
import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from simulators.comprehend_medical.data_files import rows, words
from simulators.comprehend_medical.terms.ontology import codes, description_codes
from simulators.comprehend_medical.text.tokens import tokens

CANDIDATES = 5
COMMON = 2500
"""A word in more names than this only ranks the candidates of rarer words."""

SAYS_LITTLE = frozenset(words("little_words.txt"))
SIDES = ("left", "right", "bilateral")
_CHAPTERS = rows("chapters.csv")
FAR = {row["chapter"]: float(row["penalty"]) for row in _CHAPTERS}
"""Score penalty of a chapter's codes, unless the phrase has a word of that chapter (`LEADS`)."""
LEADS = {row["chapter"]: frozenset(row["leads"].split()) for row in _CHAPTERS}


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of all codes: code and weight of each, and the names that contain each word."""

    code: list[str]
    weight: "array[float]"
    places: dict[str, "array[int]"]


@cache
def _synonyms() -> dict[str, list[str]]:
    return {row["word"]: row["means"].split() for row in rows("synonyms.csv")}


@cache
def _names() -> _Names:
    code: list[str] = []
    places: dict[str, array[int]] = defaultdict(lambda: array("i"))
    sets: list[tuple[str, ...]] = []
    for known, (_, names) in codes().items():
        for name in filter(None, names.split("|")):
            number = len(code)
            code.append(known)
            words = tuple(set(name.split()))
            sets.append(words)
            for word in words:
                places[word].append(number)
    total = len(code)
    weights = {word: _rarity(word, len(place), total) for word, place in places.items()}
    weight = array("d", (sum(weights[word] for word in words) for words in sets))
    return _Names(code, weight, dict(places))


def _rarity(word: str, count: int, total: int) -> float:
    rarity = math.log(total / count)
    return rarity * 0.12 if word in SAYS_LITTLE else rarity


def rarity(word: str) -> float:
    """Returns the rarity of a word: low if many names contain it."""
    names = _names()
    return _rarity(word, len(names.places.get(word, ())) or 1, len(names.code))


def knows(word: str) -> bool:
    """Whether a name in ICD-10-CM contains the word."""
    return word in _names().places


def words_of(phrase: str) -> frozenset[str]:
    """Returns the words of a phrase in compared form, with their synonyms."""
    return frozenset(word for word, _ in _asked(phrase.lower()))


def ready() -> None:
    """Loads the index, so that the first request is not slower."""
    _names()
    _synonyms()


@lru_cache(maxsize=8192)
def candidates(phrase: str, head: frozenset[str] = frozenset()) -> tuple[tuple[str, float], ...]:
    """Returns up to `CANDIDATES` codes for the words, best first, with scores between 0 and 1.

    With a `head`, only names that contain one of its words are used.
    """
    asked = _asked(phrase)
    names = _names()
    total = len(names.code)
    known = [(word, names.places[word]) for word, _ in asked if word in names.places]
    share = dict(asked)
    known.sort(key=lambda pair: len(pair[1]))
    wanted = sum(rarity(word) * weight for word, weight in asked)
    if not known or not wanted:
        return ()
    matched = _matched(known, total)
    best: dict[str, float] = {}
    said = set(share)
    headed = set().union(*(names.places.get(word, ()) for word in head))
    for number, gain in matched.items():
        if head and number not in headed:
            continue
        score = 0.62 * min(1.0, gain / wanted) + 0.38 * gain / (names.weight[number] or 1)
        code = names.code[number]
        if score <= best.get(code, 0.0):
            continue
        best[code] = score
    ranked = sorted(
        ((score - _farness(code, said), code) for code, score in best.items() if score > 0.25),
        key=lambda pair: (-pair[0], len(pair[1]), pair[1]),
    )
    return tuple((code, min(0.99, score)) for score, code in ranked[:CANDIDATES] if score > 0.2)


def _matched(known: Sequence[tuple[str, Sequence[int]]], total: int) -> dict[int, float]:
    """Returns the numbers of names that contain the words, with the sums of the words' rarities.

    `known` holds each word with the names it is in, the rarest first. A common word adds to names that
    a rarer word has found, and finds no further ones.
    """
    matched: dict[int, float] = {}
    for word, place in known:
        gain = _rarity(word, len(place), total)
        if len(place) > COMMON and matched:
            members = set(place)
            for number in matched:
                if number in members:
                    matched[number] += gain
        else:
            for number in place:
                matched[number] = matched.get(number, 0.0) + gain
    return matched


def _asked(phrase: str) -> list[tuple[str, float]]:
    """The words to search, each with its weight. A synonym has a lower weight than the word."""
    found: dict[str, float] = {}
    for token in tokens(phrase):
        if not token.is_word:
            continue
        meanings = _synonyms().get(token.form)
        if meanings is None:
            found[token.form] = 1.0
            continue
        known = token.form in _names().places and len(token.form) > 2
        if known:
            found[token.form] = 0.5
        for word in meanings:
            found.setdefault(word, 0.5 if known else 1.0)
    return list(found.items())


def _farness(code: str, said: set[str]) -> float:
    chapter = code[0]
    lost = FAR.get(chapter, 0.0)
    if lost and LEADS[chapter] & said:
        lost = 0.0
    description = codes()[code][0].lower()
    for side in SIDES:
        if side in description and side not in said:
            lost += 0.12
    if "unspecified" in description or "without" in description:
        lost -= 0.03
    if code.count(".") == 0 or code.endswith("9"):
        lost -= 0.01
    return lost


def with_side(code: str, sides: Iterable[str]) -> str:
    """Returns the code's sibling for the laterality in the note, "" if ICD-10-CM has none."""
    if code not in codes():
        return ""
    description = codes()[code][0].lower()
    if any(side in description for side in SIDES):
        return ""
    for side in sides:
        for told in (side, f"{side} side", f"{side} sided"):
            for found in re.finditer("unspecified", description):
                other = f"{description[: found.start()]}{told}{description[found.end() :]}"
                if other in description_codes():
                    return description_codes()[other]
    return ""
