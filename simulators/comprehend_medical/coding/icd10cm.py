"""Finds ICD-10-CM codes for a condition: curated codes, refined by the note's words, then the linker's."""

from collections.abc import Iterator, Sequence
from functools import cache

from simulators.comprehend_medical.coding import linker, siblings
from simulators.comprehend_medical.data_files import rows, words
from simulators.comprehend_medical.terms.mentions import Mention
from simulators.comprehend_medical.terms.ontology import codes
from simulators.comprehend_medical.text.tokens import Token

SHORT_TEXT = 9
"""A text of at most so many words counts as one diagnosis, as in a registration form."""

SURE = 0.93

KNOWN = 0.85
"""The linker's minimum score for a short text without a known condition to count as a condition."""

SIGNS = tuple(words("signs.txt"))
"""Codes of the chapter of symptoms and signs that are signs (observed), not symptoms (reported)."""


def coded(mention: Mention, written: str, whole: str = "") -> list[tuple[str, float]]:
    """Returns up to five codes with scores, best first. `whole` is the text if it is one short diagnosis."""
    found: dict[str, float] = {}
    for code, score in _offered(mention, written, whole):
        if code in codes():
            found.setdefault(code, score)
    ranked = list(found)[: linker.CANDIDATES]
    scores = sorted((found[code] for code in ranked), reverse=True)
    return list(zip(ranked, scores, strict=True))


def _offered(mention: Mention, written: str, whole: str) -> Iterator[tuple[str, float]]:
    """Codes with scores, best first. A code may appear twice."""
    around = mention.words or written
    if mention.past and mention.codes and mention.codes[0][: siblings.CATEGORY] in _history():
        yield _history()[mention.codes[0][: siblings.CATEGORY]], 0.88
    if whole:
        best = linker.candidates(whole.lower())[:1]
        longer = len(whole.split()) > len(written.split()) + 1
        if best and best[0][1] >= SURE and (longer or not mention.codes):
            yield best[0][0], 0.9
    if mention.codes and not mention.generic:
        yield from _curated(mention, around, whole)
    head = linker.words_of(mention.core) if mention.generic else frozenset()
    linked = linker.candidates(around.lower(), head)
    if not mention.codes and written.lower() != around.lower():
        linked = _joined(linked, linker.candidates(written.lower()))
    for code, score in linked:
        if mention.codes and not mention.generic:
            yield code, score * 0.3
        else:
            yield linker.with_side(code, mention.sides), score * 0.8
            yield code, score * 0.8
    for code in mention.codes:
        yield code, 0.1


def _curated(mention: Mention, around: str, whole: str) -> Iterator[tuple[str, float]]:
    """The curated codes, preceded by the sibling of the first that fits the surrounding words."""
    named = linker.words_of(mention.core)
    said = linker.words_of(f"{around} {whole}") - named
    closer = siblings.closest(mention.codes, said, named)
    for code in filter(None, (closer, mention.codes[0])):
        yield linker.with_side(code, mention.sides), 0.87
    yield closer, 0.86
    for rank, code in enumerate(mention.codes):
        yield code, 0.85 / (rank + 1)


def _joined(
    wide: tuple[tuple[str, float], ...], narrow: tuple[tuple[str, float], ...]
) -> tuple[tuple[str, float], ...]:
    """The codes of the longer phrase, unless those of the shorter have clearly higher scores."""
    if narrow and (not wide or narrow[0][1] > wide[0][1] + 0.2):
        return (*narrow, *wide)
    return (*wide, *narrow)


def is_short(text: str, found: Sequence[Token]) -> bool:
    """Whether a text is one diagnosis, not a note."""
    words = [token for token in found if token.is_word]
    return 0 < len(words) <= SHORT_TEXT and "\n" not in text.strip() and ". " not in text


def whole(text: str, found: Sequence[Token]) -> list[Mention]:
    """A short text of several words as one condition, if ICD-10-CM has a code for it: "smoke inhalation"."""
    places = [place for place, token in enumerate(found) if token.is_word]
    best = linker.candidates(text.lower())[:1]
    if len(places) < 2 or not best or best[0][1] < KNOWN:
        return []
    return [Mention(places[0], places[-1], "condition", "")]


def kind_of(code: str) -> str:
    """DIAGNOSIS, or SIGN or SYMPTOM for the chapter of symptoms and signs."""
    if not code.startswith("R"):
        return "DIAGNOSIS"
    return "SIGN" if code.startswith(SIGNS) else "SYMPTOM"


@cache
def _history() -> dict[str, str]:
    """Maps the category of a disease to the code for a history of it."""
    return {row["category"]: row["code"] for row in rows("history.csv")}
