"""Joins the notes of a message into one text, and maps its parts to the message's fields."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.notes import Note, Skipped, SkippedReason
from lambdas.common.contracts.message.visit import CodedText
from lambdas.extract_entities.notes.rich_text import plain

SEPARATOR = "\n"

REPEATED = 20
"""Length in characters from which a repeated line counts as boilerplate."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A text of the message, its field, and the language that it declares."""

    place: str
    text: str = field(repr=False)
    language: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """The text to analyse; `starts[i]` is the offset at which the piece of `fields[i]` begins."""

    text: str = field(repr=False)
    starts: tuple[int, ...] = ()
    fields: tuple[str, ...] = ()

    def field_at(self, offset: int) -> str:
        """The field, like `OBX[1]-5`, of the character at an offset."""
        return self.fields[max(0, bisect_right(self.starts, offset) - 1)] if self.fields else ""

    def fields_in(self, begin: int, end: int) -> tuple[str, ...]:
        """The fields with text between two offsets."""
        first = max(0, bisect_right(self.starts, begin) - 1)
        return self.fields[first : max(first + 1, bisect_right(self.starts, end - 1))]


def sources(event: PatientEvent) -> tuple[list[Piece], list[Skipped]]:
    """Returns every free text of the event, and the parts that cannot be read.

    The reason for the visit and DG1's words come first, then the notes and documents in the message's
    order. A line that also occurs in an earlier piece is left out: senders repeat headings and
    disclaimers in every OBX, and characters are billed.
    """
    notes = [
        Note("PV2-3", _words(event.visit.reason)),
        *(Note(f"DG1[{number}]-3", _words(d)) for number, d in enumerate(event.diagnoses, 1)),
        *event.notes,
    ]
    pieces, skipped = [], list(event.skipped_notes)
    for note in notes:
        try:
            text, language = plain(note)
        except ValueError:
            skipped.append(Skipped(note.field, SkippedReason.DAMAGED))
        else:
            pieces.append(Piece(note.field, text, language))
    return _without_repeats(pieces), skipped


def _words(coded: CodedText) -> str:
    """The text of a coded field, also when the sender wrote it into the code component."""
    return coded.text or (coded.code if " " in coded.code.strip() else "")


def _without_repeats(pieces: Sequence[Piece]) -> list[Piece]:
    seen: set[str] = set()
    kept = []
    for piece in pieces:
        lines = []
        for line in piece.text.split("\n"):
            known = " ".join(line.casefold().split())
            # A short line ("Yes", "Pain") has a meaning of its own under each heading.
            if len(known) < REPEATED or known not in seen:
                lines.append(line)
            seen.add(known)
        text = "\n".join(lines)
        if text.strip():
            kept.append(replace(piece, text=text))
    return kept


def fitting(pieces: Sequence[Piece], limit: int) -> tuple[list[Piece], list[Skipped]]:
    """The pieces up to `limit` characters, cut at a blank; and those that do not fit completely."""
    kept: list[Piece] = []
    skipped = []
    for piece in pieces:
        if len(piece.text) <= limit:
            kept.append(piece)
            limit -= len(piece.text)
            continue
        skipped.append(Skipped(piece.place, SkippedReason.TOO_LONG))
        head = piece.text[:limit]
        words = head if piece.text[limit].isspace() else head.rpartition(" ")[0] or head
        if words.strip():
            kept.append(replace(piece, text=words))
        limit = 0
    return kept, skipped


def reading(pieces: Sequence[Piece]) -> Reading:
    """All pieces that are not blank, in order, one line each.

    One text instead of one request per note: a report spread over many OBX segments has broken
    sentences, and each request is billed for at least 100 characters.
    """
    text, starts, fields = "", [], []
    for piece in pieces:
        if not piece.text.strip():
            continue
        if text:
            text += SEPARATOR
        starts.append(len(text))
        fields.append(piece.place)
        text += piece.text
    return Reading(text, tuple(starts), tuple(fields))
