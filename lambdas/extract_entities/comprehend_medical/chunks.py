"""Cuts a text into chunks for Comprehend Medical, at sentence ends or blanks. Pure.

The limits are bytes of UTF-8 (20,000 for DetectEntitiesV2, 10,000 for InferICD10CM: "Guidelines and
quotas", Amazon Comprehend Medical Developer Guide); offsets are code points, Python's own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_SENTENCE_END = re.compile(r"[.!?;:]\s+|\s*\n\s*")
_BLANK = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk of the text and its offset in code points."""

    start: int
    text: str = field(repr=False)


def chunks(text: str, limit: int) -> list[Chunk]:
    """Chunks of at most `limit` bytes. They do not overlap, and leave out only blanks.

    Each ends after a sentence if one ends in its second half, else at a blank, else between two characters.
    """
    return [
        Chunk(start + len(piece) - len(piece.lstrip()), piece.strip())
        for start, piece in _pieces(text, limit)
        if piece.strip()
    ]


def _pieces(text: str, limit: int) -> Iterator[tuple[int, str]]:
    start = 0
    while start < len(text):
        fitting = _fitting(text, start, limit)
        end = start + fitting
        if end < len(text):
            end = start + _border(text[start:end])
        yield start, text[start:end]
        start = end


def _fitting(text: str, start: int, limit: int) -> int:
    """The number of characters from `start` that fit into `limit` bytes; at least one."""
    window = text[start : start + limit].encode()
    return max(1, len(window[:limit].decode(errors="ignore")))


def _border(window: str) -> int:
    half = len(window) // 2
    for pattern in (_SENTENCE_END, _BLANK):
        ends = [found.end() for found in pattern.finditer(window) if found.end() > half]
        if ends:
            return ends[-1]
    return len(window)
