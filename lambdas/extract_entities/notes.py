"""The notes of a message as one text, and where in the message each part of it stood."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lambdas.common.contracts.models import CodedText, Note, PatientEvent, Unread
from lambdas.extract_entities.documents import plain

SEPARATOR = "\n"

REPEATED = 20
"""Characters from which a line that stands there twice is boilerplate."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A text of the message, where it stood, and the language that it declares itself."""

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
        """The field, like `OBX[1]-5`, in which the character at an offset stood."""
        return self.fields[max(0, bisect_right(self.starts, offset) - 1)] if self.fields else ""

    def fields_in(self, begin: int, end: int) -> tuple[str, ...]:
        """The fields of which something stands between two offsets."""
        first = max(0, bisect_right(self.starts, begin) - 1)
        return self.fields[first : max(first + 1, bisect_right(self.starts, end - 1))]


def sources(event: PatientEvent) -> tuple[list[Piece], list[Unread]]:
    """Every text of the event that a person wrote, and what in it cannot be read.

    The reason for the visit and DG1's words come first, then the notes and documents in the message's
    order. A line that stands in an earlier piece too is left out: senders repeat headings and
    disclaimers in every OBX, and each hundred characters cost.
    """
    notes = [
        Note("PV2-3", _words(event.visit.reason)),
        *(Note(f"DG1[{number}]-3", _words(d)) for number, d in enumerate(event.diagnoses, 1)),
        *event.notes,
    ]
    pieces, unread = [], list(event.unread_notes)
    for note in notes:
        try:
            text, language = plain(note)
        except ValueError:
            unread.append(Unread(note.field, "damaged"))
        else:
            pieces.append(Piece(note.field, text, language))
    return _without_repeats(pieces), unread


def _words(coded: CodedText) -> str:
    """What a coded field says in words; senders also write them where the code belongs."""
    return coded.text or (coded.code if " " in coded.code.strip() else "")


def _without_repeats(pieces: Sequence[Piece]) -> list[Piece]:
    seen: set[str] = set()
    kept = []
    for piece in pieces:
        lines = []
        for line in piece.text.split("\n"):
            known = " ".join(line.casefold().split())
            # A short line ("Yes", "Pain") says something new under each heading.
            if len(known) < REPEATED or known not in seen:
                lines.append(line)
            seen.add(known)
        text = "\n".join(lines)
        if text.strip():
            kept.append(replace(piece, text=text))
    return kept


def fitting(pieces: Sequence[Piece], limit: int) -> tuple[list[Piece], list[Unread]]:
    """The pieces as far as `limit` characters reach, cut at a blank; and which do not fit whole."""
    kept: list[Piece] = []
    unread = []
    for piece in pieces:
        if len(piece.text) <= limit:
            kept.append(piece)
            limit -= len(piece.text)
            continue
        unread.append(Unread(piece.place, "too_long"))
        head = piece.text[:limit]
        words = head if piece.text[limit].isspace() else head.rpartition(" ")[0] or head
        if words.strip():
            kept.append(replace(piece, text=words))
        limit = 0
    return kept, unread


def reading(pieces: Sequence[Piece]) -> Reading:
    """Every piece that is not blank, in order, a line each.

    One text rather than one request a note: a sender that wraps a report over many OBX segments
    breaks its sentences, and each request is billed for at least a hundred characters.
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
