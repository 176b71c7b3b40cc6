"""The notes of a message as one text, and where in the message each part of it stood. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from lambdas.common.models import Note, PatientEvent

SEPARATOR = "\n"


@dataclass(frozen=True, slots=True)
class Reading:
    """The text to analyse; `starts[i]` is the offset at which the note of `fields[i]` begins."""

    text: str = field(repr=False)
    starts: tuple[int, ...] = ()
    fields: tuple[str, ...] = ()

    def field_at(self, offset: int) -> str:
        """The field, like `OBX[1]-5`, in which the character at an offset stood."""
        return self.fields[max(0, bisect_right(self.starts, offset) - 1)] if self.fields else ""


def sources(event: PatientEvent) -> list[Note]:
    """Every text of the event that a person wrote: notes, the reason for the visit, DG1's words.

    A line that stands in an earlier piece too is left out: senders repeat headings and disclaimers in
    every OBX, and each hundred characters cost.
    """
    reason = event.visit.reason
    pieces = [
        Note("PV2-3", reason.text),
        *(Note(f"DG1[{number}]-3", d.text) for number, d in enumerate(event.diagnoses, 1)),
        *event.notes,
    ]
    seen: set[str] = set()
    kept = []
    for piece in pieces:
        lines = []
        for line in piece.text.split("\n"):
            plain = " ".join(line.casefold().split())
            # A short line ("Yes", "Pain") says something new under each heading.
            if len(plain) < REPEATED or plain not in seen:
                lines.append(line)
            seen.add(plain)
        kept.append(Note(piece.field, "\n".join(lines)))
    return kept


REPEATED = 20
"""Characters from which a line that stands there twice is boilerplate."""


def reading(notes: Sequence[Note]) -> Reading:
    """Every note that is not blank, in the message's order, a line each.

    One text rather than one request a note: a sender that wraps a report over many OBX segments
    breaks its sentences, and each request is billed for at least a hundred characters.
    """
    text, starts, fields = "", [], []
    for note in notes:
        if not note.text.strip():
            continue
        if text:
            text += SEPARATOR
        starts.append(len(text))
        fields.append(note.field)
        text += note.text
    return Reading(text, tuple(starts), tuple(fields))
