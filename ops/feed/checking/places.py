"""The places of a feed's messages, by numbers: neither a file's name nor a control id is shown."""

from dataclasses import dataclass
from typing import NamedTuple

MAX_EXAMPLES = 3


class Place(NamedTuple):
    """The number of a file in the sorted list, and of a message in it; both from 1. 0: the whole file."""

    file: int
    message: int

    def __str__(self) -> str:
        return f"file {self.file} message {self.message}" if self.message else f"file {self.file}"


@dataclass(slots=True)
class Occurrences:
    """The number of times that something was seen, and the first places."""

    count: int = 0
    places: tuple[Place, ...] = ()

    def add(self, place: Place) -> None:
        """Counts one more."""
        self.count += 1
        if len(self.places) < MAX_EXAMPLES:
            self.places = (*self.places, place)
