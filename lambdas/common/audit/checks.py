"""Checks an event's audit entries: chain, head, entries outside the chain, daily digests. Pure.

docs/adr/0282-sealed-heads-and-daily-digests.md
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from lambdas.common.audit.canonical import GENESIS, HEAD, canonical, hash_of
from lambdas.common.audit.forms import day_of, form_fault, number_of, text_of
from lambdas.common.aws.items import Item
from lambdas.common.keys import KeyRing

_WORKFLOW = re.compile(r"workflow#(?P<name>[^#]+)#(?P<step>CompleteEvent|RecordFailure)")
_ENDS = {
    "CompleteEvent": ("COMPLETED", "completed"),
    "RecordFailure": ("FAILED", "failed"),
}


@dataclass(frozen=True, slots=True)
class DigestLine:
    """The state of an event in a digest: its last entry of the day, and the hashes of its entries outside the chain.

    `seq` is 0 where the event had no entry in the chain that day, `outside` "" where it had none beside.
    `outside` has the SHA-256 of each entry in hex, sorted, with commas between them. The first digests have
    one hash over all.
    """

    seq: int
    hash: str
    outside: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Result of checking one event. `problems` is empty when nothing is missing or altered.

    `unchecked` says why something could not be checked.
    """

    event_id: str
    entries: int
    outside_chain: int
    problems: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether everything was checked, and nothing is missing or altered."""
        return not (self.problems or self.unchecked)


@dataclass(frozen=True, slots=True)
class EventItems:
    """The items of one event in the audit table."""

    event_id: str
    head: Item | None
    chained: list[Item]
    outside: list[Item]

    @classmethod
    def of(cls, event_id: str, items: Iterable[Item]) -> "EventItems":
        """Sorts the items of an event's partition."""
        found = list(items)
        others = [item for item in found if item["sk"] != HEAD]
        return cls(
            event_id,
            next((item for item in found if item["sk"] == HEAD), None),
            sorted((i for i in others if number_of(i)), key=lambda i: (i["seq"], i["sk"])),
            sorted((i for i in others if not number_of(i)), key=lambda i: str(i["sk"])),
        )

    @property
    def days(self) -> list[str]:
        """The days of its entries (YYYY-MM-DD)."""
        return sorted({day_of(item) for item in (*self.chained, *self.outside)} - {""})

    def outside_of(self, day: str) -> list[Item]:
        """The entries of a day outside the chain."""
        return [entry for entry in self.outside if entry.get("day") == day]

    @property
    def has_older_format(self) -> bool:
        """Whether an earlier version of this project wrote some of the entries."""
        return any("key_id" in entry for entry in self.chained)

    @property
    def last_number(self) -> int:
        """The number of the last entry that is there; 0 where there is none."""
        return number_of(self.chained[-1]) if self.chained else 0

    @property
    def lacks_entries(self) -> bool:
        """Whether entries are gone: expired, or removed."""
        return len(self.chained) < max(self.last_number, number_of(self.head or {}))


def line_of(entries: Iterable[Item]) -> DigestLine:
    """The digest line of an event, from its entries of one day."""
    items = EventItems.of("", entries)
    last = items.chained[-1] if items.chained else {}
    return DigestLine(number_of(last), text_of(last, "hash"), ",".join(_hashes(items.outside)))


@dataclass(frozen=True, slots=True)
class Expiry:
    """The entries that DynamoDB's time to live may have deleted: those of the day `until` and before.

    `lines` has the event's digest line for each day that was read; None where the digest does not name it.
    DynamoDB deletes expired items in no order, within a few days.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
    """

    lines: Mapping[str, DigestLine | None]
    until: str

    def covers(self, day: str) -> bool:
        """Whether entries of the day may be deleted."""
        return "" < day <= self.until

    def is_before(self, entry: Item) -> bool:
        """Whether all entries of the chain before this one may be deleted.

        They may when this entry may be deleted itself, or when the digest of such a day ends at the entry
        before this one.
        """
        before = (number_of(entry) - 1, entry.get("prev_hash"))
        return self.covers(day_of(entry)) or self.ends_at(before)

    def ends_at(self, end: tuple[int, object]) -> bool:
        """Whether the digest of such a day has an entry of this number and hash."""
        return any(self.covers(day) and _is_end(line, end) for day, line in self.lines.items())


def check_forms(items: EventItems, today: str) -> Iterator[str]:
    """Yields the entries with a damaged number, day, time or `outcome_time` (`forms.form_fault`)."""
    for entry in (*items.chained, *items.outside):
        if fault := form_fault(entry, today):
            yield f"entry {entry['sk']} {fault}"


def check_chain(chained: list[Item], ring: KeyRing | None, expiry: Expiry) -> Iterator[str]:
    """Yields the faults of the chain by entry. `ring` verifies the entries of earlier versions."""
    expected, previous = 1, GENESIS
    for entry in chained:
        # An altered entry may lack attributes, or have them of another type.
        sequence, key_id = number_of(entry), entry.get("key_id")
        before = text_of(entry, "prev_hash")
        if sequence > expected and expiry.is_before(entry):
            expected, previous = sequence, before
        if sequence != expected:
            yield f"entry {expected} is missing"
        elif before != previous:
            yield f"entry {sequence} does not follow the one before it"
        if key_id is not None and (ring is None or text_of(entry, "key_id") not in ring.keys):
            yield f"entry {sequence} was sealed with a key that is gone"
        elif entry.get("hash") != _expected(entry, before, ring):
            yield f"entry {sequence} was altered"
        previous, expected = text_of(entry, "hash"), sequence + 1


def check_remains(items: EventItems, expiry: Expiry) -> Iterator[str]:
    """Yields, as not checked, the entries before one that has expired, unless a digest has the last of them.

    A chain binds an entry by the one after it.
    """
    ends = (*items.chained, {"seq": number_of(items.head or {}) + 1})
    for last, following in pairwise(ends):
        number = number_of(last)
        if number_of(following) > number + 1 and not any(
            _is_end(line, (number, last.get("hash"))) for line in expiry.lines.values()
        ):
            yield f"entry {number} cannot be checked: the one after it is gone"


def check_head(items: EventItems, expiry: Expiry, *, sealed: bool) -> Iterator[str]:
    """Yields the faults of the head. `sealed`: KMS verified its seal. A head without a seal is no fault here.

    Of a chain whose last entry may be expired, head or entries may be gone.
    """
    head, chained = items.head, items.chained
    if head is None:
        if chained and not expiry.covers(day_of(chained[-1])):
            yield "the chain's head is missing"
        return
    end = (number_of(head), head.get("hash"))
    if not (end[0] > items.last_number and expiry.ends_at(end)):
        last = chained[-1].get("hash") if chained else end[1]
        if head.get("seq") != items.last_number or end[1] != last:
            yield f"the chain ends at entry {items.last_number}, its head says otherwise"
    if "seal" in head and not sealed:
        yield "the seal of the chain's head is not valid"


def check_outside(items: EventItems, expiry: Expiry) -> Iterator[str]:
    """Yields the entries outside the chain that the workflow cannot have written.

    Where the digest of a day of expired entries has the entry, those of its execution may be expired.
    """
    executions = {text_of(entry, "execution_arn") for entry in items.chained}
    for entry in items.outside:
        if not _of_workflow(entry):
            yield f"entry {entry['sk']} is not sealed"
        elif (
            entry["action"] == "COMPLETED"
            and entry["execution_arn"] not in executions
            and not _is_proven(items, entry, expiry)
        ):
            yield f"entry {entry['sk']} is of an execution without an entry in the chain"


def check_digests(items: EventItems, expiry: Expiry) -> Iterator[str]:
    """Yields the contradictions to the digests. Entries that may be expired may be gone, and not changed."""
    by_seq = {number_of(entry): entry for entry in items.chained}
    for day, line in sorted(expiry.lines.items()):
        known = line or DigestLine(0, "")
        of_day = [number_of(entry) for entry in items.chained if entry.get("day") == day]
        if known.seq and known.seq not in by_seq:
            if not expiry.covers(day):
                yield f"entry {known.seq} is missing: the digest of {day} has it"
        elif known.seq and by_seq[known.seq].get("hash") != known.hash:
            yield f"entry {known.seq} is not the one in the digest of {day}"
        if added := [sequence for sequence in of_day if sequence > known.seq]:
            yield f"entry {added[0]} was added after the digest of {day}"
        found, expected = _hashes(items.outside_of(day)), _split(known.outside)
        expired = expiry.covers(day) and set(found) <= set(expected)
        if found != expected and not expired and known.outside != _together(items.outside_of(day)):
            yield f"an entry outside the chain was changed after the digest of {day}"


def check_unsealed(
    items: EventItems, lines: Mapping[str, DigestLine | None], first_digest_at: str
) -> tuple[list[str], list[str]]:
    """The problems, and the parts that cannot be checked, of a chain without a sealed head.

    Earlier versions did not seal heads, and a head expires. Such a chain is proven by the digest of its
    last entry's day. `first_digest_at` is when the first digest was written, "" while there is none: from
    then on heads have seals.
    """
    if not items.chained or (items.head and "seal" in items.head):
        return [], []
    last = items.chained[-1]
    day = day_of(last)
    if _is_end(lines.get(day), (number_of(last), last.get("hash"))):
        return [], []
    if items.head is None:
        return [], [f"the chain's head is gone, and no digest of {day} proves the last entry"]
    older = items.has_older_format and (not first_digest_at or day < first_digest_at[:10])
    if older and day not in lines:
        return [], [f"the chain is of an earlier version, and no digest of {day} proves it yet"]
    return ["the chain's head is not sealed"], []


def _expected(entry: Item, before: str, ring: KeyRing | None) -> str:
    key_id = entry.get("key_id")
    if key_id is None or ring is None:
        return hash_of(before, entry)
    return ring.mac(before.encode() + canonical(entry), text_of(entry, "key_id"))


def _of_workflow(entry: Item) -> bool:
    """Whether the entry has the form of one that the workflow writes (statemachine/patient_event.asl.json)."""
    named = _WORKFLOW.fullmatch(str(entry["sk"]))
    if named is None or "seq" in entry:
        return False
    said = (entry.get("action"), entry.get("outcome"))
    return (
        entry.get("step") == named["step"]
        and entry.get("actor") == "workflow"
        and said == _ENDS[named["step"]]
        and named["name"] in text_of(entry, "execution_arn").split(":")
    )


def _is_proven(items: EventItems, entry: Item, expiry: Expiry) -> bool:
    """Whether the digest of a day of expired entries has this entry outside the chain."""
    day = day_of(entry)
    line = expiry.lines.get(day) if expiry.covers(day) else None
    if line is None:
        return False
    return set(_hashes([entry])) <= set(_split(line.outside)) or line.outside == _together(
        items.outside_of(day)
    )


def _is_end(line: DigestLine | None, end: tuple[int, object]) -> bool:
    """Whether a digest line has the entry of this number and hash as its last one."""
    return line is not None and line.seq > 0 and (line.seq, line.hash) == end


def _hashes(entries: Iterable[Item]) -> list[str]:
    """The SHA-256 of each entry outside the chain, sorted."""
    return sorted(hashlib.sha256(canonical(entry)).hexdigest() for entry in entries)


def _split(outside: str) -> list[str]:
    return outside.split(",") if outside else []


def _together(entries: list[Item]) -> str:
    """The hash over all entries outside the chain, as the first digests have it."""
    if not entries:
        return ""
    found = sorted(entries, key=lambda entry: str(entry["sk"]))
    return hashlib.sha256(b"\n".join(map(canonical, found))).hexdigest()
