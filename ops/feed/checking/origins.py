"""Counts the pairs of MSH-3 and MSH-4, and decides which of them may be shown.

A sender may write a patient's name or number there too. So a pair is shown only where it seldom repeats a
value of its own message's PID, and belongs to several patients or to nearly all messages.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from hl7.header import Header
from hl7.identity import first_segment, patient_identifier
from ops.feed.checking.places import Occurrences, Place
from ops.feed.checking.shown_codes import COMPARED, LEAST_PATIENTS, PRIVATE_SHARE, CollectedValue

MAX_ORIGINS = 200
MOST_MESSAGES = 0.9
"""A pair of this share of all messages is shown, however few the patients are."""

_TEXT = re.compile(r"[!-~](?:[ -~]{0,58}[!-~])?")
_NUMBER = re.compile(r"\d{5}")
_DELIMITED = re.compile(rb"[\^~&]")


class Pair(NamedTuple):
    """MSH-3.1 and MSH-4.1."""

    application: str
    facility: str

    def __str__(self) -> str:
        return f"{self.application} / {self.facility}"


@dataclass(slots=True)
class OriginTally:
    """The pairs so far. `total` counts the messages that have an MSH."""

    total: int = 0
    _pairs: dict[Pair, CollectedValue] = field(default_factory=dict)
    further: Occurrences = field(default_factory=Occurrences)

    def add(self, header: Header, place: Place) -> None:
        """Counts the pair of one message."""
        self.total += 1
        pair = Pair(header.letterhead.sending_application, header.letterhead.sending_facility)
        found = self._pairs.get(pair)
        if found is None:
            if len(self._pairs) >= MAX_ORIGINS:
                self.further.add(place)
                return
            found = self._pairs[pair] = CollectedValue()
        found.messages.add(place)
        if found.compared < COMPARED:
            found.compared += 1
            found.patients.add(hash(patient_identifier(header)))
            found.private += _names_a_patient(pair, header)

    def different(self) -> int:
        """The number of different pairs."""
        return len(self._pairs)

    def most(self) -> int:
        """The messages of the most frequent pair."""
        return max((one.messages.count for one in self._pairs.values()), default=0)

    def shown(self) -> list[tuple[Pair, int]]:
        """The pairs that may be shown and their messages, the most frequent first."""
        found = [
            (pair, one.messages.count)
            for pair, one in self._pairs.items()
            if self._may_be_shown(pair, one)
        ]
        return sorted(found, key=lambda one: (-one[1], one[0]))

    def hidden(self) -> int:
        """The messages whose pair is not shown."""
        return self.total - sum(count for _, count in self.shown())

    def _may_be_shown(self, pair: Pair, one: CollectedValue) -> bool:
        if one.private * PRIVATE_SHARE >= one.compared:
            return False
        if not all(_TEXT.fullmatch(part) or not part for part in pair):
            return False
        if any(_NUMBER.search(part) for part in pair):
            return False
        frequent = one.messages.count >= MOST_MESSAGES * self.total
        return frequent or len(one.patients) >= LEAST_PATIENTS


def _names_a_patient(pair: Pair, header: Header) -> bool:
    """Whether a part of MSH-3 or MSH-4 stands in PID-2 to PID-5, the authorities of identifiers aside."""
    delimiters = header.letterhead.delimiters
    pid = first_segment(header, b"PID")
    pid[5:] = [rest.split(delimiters.field, 1)[0] for rest in pid[5:]]
    values: set[str] = set()
    for number, sent in enumerate(pid[2:6], start=2):
        for repetition in sent.split(delimiters.repetition):
            components = repetition.split(delimiters.component)
            named = components if number == 5 else components[:1]
            values |= {
                part.decode("latin-1").strip().casefold()
                for one in named
                for part in _DELIMITED.split(one)
            }
    words = {word for part in pair for word in re.split(r"[^\w]+", part.casefold())}
    return bool(((words | {part.casefold() for part in pair}) & values) - {""})
