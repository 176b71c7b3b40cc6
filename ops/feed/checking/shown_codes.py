"""Collects the values of a coded field, and decides which of them may be shown.

A field that is filled wrongly may hold a name or a number of a patient. So a value is shown only where
it looks like an entry of a table: short, of several patients, one of few, and not one that stands in a
private field of its own message (docs/adr/0206-a-feed-is-checked-by-the-code-that-runs-it.md).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ops.feed.checking.places import Occurrences, Place

LEAST_PATIENTS = 3
"""A value is shown from so many patients on."""

MAX_VALUES = 400
"""Most different values of a table of places; a table of codes has `MAX_CODES`."""
MAX_CODES = 60
MAX_SHOWN = 25
MANY_RARE = 5
"""From so many values of fewer patients on, they are no table where they are more than half of all."""

CODE = re.compile(r"[A-Za-z0-9][\w./+&-]*(?: [\w./+&-]+){0,2}", re.ASCII)
TEXT = re.compile(r"[^\W\d_][^\W\d_/,.()'-]*(?:[ ,/()-]{1,2}[^\W\d_/,.()'-]+){0,5}[.)]?")
OID = re.compile(r"[0-2](?:\.\d{1,20}){2,}", re.ASCII)
_NUMBER = re.compile(r"\d{5}")
"""So many digits may be a date, a telephone or a patient's number."""

COMPARED = 60
"""Occurrences of a value that are compared with the private fields of their message."""
PRIVATE_SHARE = 10
"""A value is private from one in so many occurrences on: a unit `WEST` and one patient of that name."""


def looks_like_a_code(value: str) -> bool:
    """Whether the value has the form of a code: 20 characters, at most three words, no long number."""
    return len(value) <= 20 and not _NUMBER.search(value) and CODE.fullmatch(value) is not None


def looks_like_an_authority(value: str) -> bool:
    """Whether the value has the form of an assigning authority: a code, or an OID."""
    return looks_like_a_code(value) or (len(value) <= 64 and OID.fullmatch(value) is not None)


def looks_like_a_text(value: str) -> bool:
    """Whether the value has the form of a code's text: at most six words of letters, 40 characters."""
    return len(value) <= 40 and TEXT.fullmatch(value) is not None


@dataclass(slots=True)
class CollectedValue:
    """One value: its messages, up to `LEAST_PATIENTS` of its patients, and how it was read."""

    messages: Occurrences = field(default_factory=Occurrences)
    patients: set[int] = field(default_factory=set)
    compared: int = 0
    private: int = 0
    read_as: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCode:
    """A value that may be shown. `read_as` is the standard's code that it was read as, "" for none."""

    value: str
    messages: int
    read_as: str = ""
    examples: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenCodes:
    """The number of values that are not shown, of their messages, and some of their places."""

    values: int = 0
    messages: int = 0
    examples: tuple[Place, ...] = ()


@dataclass(slots=True)
class CodeField:
    """The values of one field. `max_values`: with more different ones it is no table, and none is shown."""

    looks_right: Callable[[str], bool] = looks_like_a_code
    max_values: int = MAX_CODES
    _values: dict[str, CollectedValue] = field(default_factory=dict)
    _further: Occurrences = field(default_factory=Occurrences)

    def add(
        self,
        value: str,
        place: Place,
        patient: int,
        private: Callable[[], frozenset[str]],
        read_as: str = "",
    ) -> None:
        """Counts a value. `private` gives the values of the message's private fields, in small letters."""
        if not value:
            return
        found = self._values.get(value)
        if found is None:
            if len(self._values) > self.max_values:
                self._further.add(place)
                return
            found = self._values[value] = CollectedValue()
        found.messages.add(place)
        found.read_as = read_as
        if len(found.patients) < LEAST_PATIENTS:
            found.patients.add(patient)
        if found.compared < COMPARED:
            found.compared += 1
            found.private += value.casefold() in private()

    def shown(self) -> list[ShownCode]:
        """The values that may be shown, the most frequent first."""
        if not self._is_table():
            return []
        found = [
            ShownCode(
                value=value,
                messages=one.messages.count,
                read_as=one.read_as,
                examples=one.messages.places,
            )
            for value, one in self._values.items()
            if self._may_be_shown(value, one)
        ]
        return sorted(found, key=lambda one: (-one.messages, one.value))[:MAX_SHOWN]

    def hidden(self) -> HiddenCodes:
        """The values that are not shown."""
        shown = {one.value for one in self.shown()}
        kept = [one for value, one in self._values.items() if value not in shown]
        places = (
            *(place for one in kept for place in one.messages.places),
            *self._further.places,
        )
        return HiddenCodes(
            values=len(kept) + bool(self._further.count),
            messages=sum(one.messages.count for one in kept) + self._further.count,
            examples=tuple(sorted(places)[:3]),
        )

    def unread(self) -> Iterator[tuple[int, tuple[Place, ...]]]:
        """The messages and places of each value that could not be read, shown or not."""
        for one in self._values.values():
            if not one.read_as:
                yield one.messages.count, one.messages.places
        if self._further.count:
            yield self._further.count, self._further.places

    def count(self) -> int:
        """The number of all values that were added."""
        return sum(one.messages.count for one in self._values.values()) + self._further.count

    def _is_table(self) -> bool:
        """Whether the values may be a table's: names are many, and most of them are of one patient."""
        rare = sum(len(one.patients) < LEAST_PATIENTS for one in self._values.values())
        mostly_rare = rare >= MANY_RARE and 2 * rare > len(self._values)
        return len(self._values) <= self.max_values and not mostly_rare

    def _may_be_shown(self, value: str, one: CollectedValue) -> bool:
        return (
            len(one.patients) >= LEAST_PATIENTS
            and one.private * PRIVATE_SHARE < one.compared
            and self.looks_right(value)
        )
