"""ICD-10-CM codes for a condition: the curated ones, turned to the side the note names, then the linker's."""

from collections.abc import Sequence

from local.comprehend_medical import linker
from local.comprehend_medical.mentions import Mention
from local.comprehend_medical.ontology import codes
from local.comprehend_medical.tokens import Token

SHORT_TEXT = 9
"""A text of so few words is one diagnosis, as a registration desk types it."""

SURE = 0.93


def coded(mention: Mention, written: str, whole: str = "") -> list[tuple[str, float]]:
    """Up to five codes with scores, best first. `whole` is the text where it is one short diagnosis."""
    found: dict[str, float] = {}
    linked = linker.candidates((mention.words or written).lower())
    if whole:
        best = linker.candidates(whole.lower())[:1]
        if (
            best
            and best[0][1] >= SURE
            and (not mention.codes or len(whole.split()) > len(written.split()) + 1)
        ):
            found[best[0][0]] = 0.9
    curated = [*mention.codes]
    if curated and mention.sides:
        sided = linker.with_side(curated[0], mention.sides)
        if sided:
            curated.insert(0, sided)
    for rank, code in enumerate(curated):
        if code in codes():
            found.setdefault(code, 0.85 / (rank + 1))
    if not curated and written.lower() != mention.words.lower():
        linked = _joined(linked, linker.candidates(written.lower()))
    for code, score in linked:
        found.setdefault(code, score * (0.3 if curated else 0.8))
    ranked = list(found.items())[: linker.CANDIDATES]
    scores = sorted((score for _, score in ranked), reverse=True)
    return [(code, score) for (code, _), score in zip(ranked, scores, strict=True)]


def _joined(
    wide: tuple[tuple[str, float], ...], narrow: tuple[tuple[str, float], ...]
) -> tuple[tuple[str, float], ...]:
    """The wider words' codes unless the narrow ones are plainly surer."""
    if narrow and (not wide or narrow[0][1] > wide[0][1] + 0.2):
        return (*narrow, *wide)
    return (*wide, *narrow)


def is_short(text: str, found: Sequence[Token]) -> bool:
    """Whether a text is one diagnosis rather than a note."""
    words = [token for token in found if token.is_word]
    return 0 < len(words) <= SHORT_TEXT and "\n" not in text.strip() and ". " not in text


def kind_of(code: str) -> str:
    """DIAGNOSIS, or SYMPTOM for the chapter of symptoms and signs."""
    return "SYMPTOM" if code.startswith("R") else "DIAGNOSIS"
