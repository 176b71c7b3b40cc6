"""Everything that is counted while a feed is read."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from hl7.tables import SEGMENTS
from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.senders import SenderCodes
from ops.feed.checking.coded_fields import CodedFields
from ops.feed.checking.control_ids import ControlIdTally
from ops.feed.checking.needed_fields import FieldTallies
from ops.feed.checking.origins import OriginTally
from ops.feed.checking.places import Occurrences, Place
from ops.feed.checking.times import TimeTally

MAX_KEYS = 500
"""Most entries of one table: hostile messages have warnings at any position."""

OTHERS = "others"

_ORDINAL = re.compile(r"\[\d+\]")
_POSITION = re.compile(r"([A-Z][A-Z0-9]{2})(?:-\d{1,3}(?:\.\d{1,2})?)?")
_NUMBERED = re.compile(r"(line|segment) \d+")


@dataclass(slots=True)
class OccurrenceTable:
    """Occurrences by name, `MAX_KEYS` names at most; further ones are `OTHERS`."""

    entries: dict[str, Occurrences] = field(default_factory=dict)

    def add(self, name: str, place: Place) -> None:
        """Counts one more of this name."""
        if name not in self.entries and len(self.entries) >= MAX_KEYS:
            name = OTHERS
        self.entries.setdefault(name, Occurrences()).add(place)

    def most_frequent(self) -> list[tuple[str, Occurrences]]:
        """The entries, the most frequent first."""
        return sorted(self.entries.items(), key=lambda one: (-one[1].count, one[0]))

    @property
    def count(self) -> int:
        """The sum of all entries."""
        return sum(one.count for one in self.entries.values())


@dataclass(slots=True)
class WarningTally:
    """The messages with a kind of warning at a position; `details` are up to two different ones."""

    messages: Occurrences = field(default_factory=Occurrences)
    details: list[str] = field(default_factory=list)

    def add(self, detail: str, place: Place) -> None:
        """Counts one more message."""
        self.messages.add(place)
        if detail not in self.details and len(self.details) < 2:
            self.details.append(detail)


@dataclass(slots=True)
class FileTally:
    """The files, and every byte of them: in messages, in rejected messages, or skipped."""

    files: int = 0
    unreadable: Occurrences = field(default_factory=Occurrences)
    without_messages: Occurrences = field(default_factory=Occurrences)
    behind_text: Occurrences = field(default_factory=Occurrences)
    batches: Occurrences = field(default_factory=Occurrences)
    forms: Counter[str] = field(default_factory=Counter)
    total_bytes: int = 0
    message_bytes: int = 0
    rejected_bytes: int = 0
    batch_segments: int = 0
    empty_frames: int = 0

    @property
    def skipped_bytes(self) -> int:
        """The bytes that belong to no message."""
        return self.total_bytes - self.message_bytes - self.rejected_bytes


@dataclass(slots=True)
class FeedTally:
    """The counts of a feed.

    `decisions` has for each trigger event the notices and reasons of its messages. `not_assertable` are
    those none of whose identifiers has an authority that the sender's file allows. `test_patients` are
    those about test patients, by name or identifier.
    """

    codes: SenderCodes
    files: FileTally = field(default_factory=FileTally)
    messages: int = 0
    accepted: int = 0
    acknowledgements: int = 0
    rejected: OccurrenceTable = field(default_factory=OccurrenceTable)
    rejection_texts: dict[str, str] = field(default_factory=dict)
    dead_letters: OccurrenceTable = field(default_factory=OccurrenceTable)
    control_ids: ControlIdTally = field(default_factory=ControlIdTally)
    types: OccurrenceTable = field(default_factory=OccurrenceTable)
    origins: OriginTally = field(default_factory=OriginTally)
    versions: OccurrenceTable = field(default_factory=OccurrenceTable)
    processing_ids: OccurrenceTable = field(default_factory=OccurrenceTable)
    character_sets: OccurrenceTable = field(default_factory=OccurrenceTable)
    terminators: OccurrenceTable = field(default_factory=OccurrenceTable)
    warnings: dict[tuple[WarningCode, str], WarningTally] = field(default_factory=dict)
    warned: dict[WarningCode, Occurrences] = field(default_factory=dict)
    doubts: OccurrenceTable = field(default_factory=OccurrenceTable)
    fields: FieldTallies = field(default_factory=FieldTallies)
    times: TimeTally = field(default_factory=TimeTally)
    coded: CodedFields = field(init=False)
    not_assertable: Occurrences = field(default_factory=Occurrences)
    test_patients: Occurrences = field(default_factory=Occurrences)
    attending: int = 0
    attending_npi: int = 0
    decisions: dict[str, "DecisionTally"] = field(default_factory=dict)
    forgotten_encounters: int = 0

    def __post_init__(self) -> None:
        self.coded = CodedFields(self.codes)

    def warn(self, warnings: Iterable[MessageWarning], place: Place) -> None:
        """Counts the warnings of one message: each kind once, and once at each position."""
        found = {(one.code, position_of(one.position)): one.detail for one in warnings}
        for key, detail in found.items():
            if key not in self.warnings and len(self.warnings) >= MAX_KEYS:
                continue
            self.warnings.setdefault(key, WarningTally()).add(detail, place)
        for code in {code for code, _ in found}:
            self.warned.setdefault(code, Occurrences()).add(place)


@dataclass(slots=True)
class DecisionTally:
    """The messages of one trigger event: `told` by kind of notice, `silent` by reason."""

    messages: int = 0
    told: OccurrenceTable = field(default_factory=OccurrenceTable)
    silent: OccurrenceTable = field(default_factory=OccurrenceTable)


def position_of(position: str) -> str:
    """A warning's position without counts: `OBX[2]-5` is `OBX-5`.

    The name of a segment that the standard does not have may be a word of a text: it is left out.
    """
    if not position:
        return ""
    if found := _NUMBERED.fullmatch(position):
        return f"a {found[1]}"
    named = _ORDINAL.sub("", position).split(" and ")
    return " and ".join(
        one if (found := _POSITION.fullmatch(one)) and found[1] in SEGMENTS else "another segment"
        for one in named
    )
