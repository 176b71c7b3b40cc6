"""Checks an event's audit entries: chain, head, entries outside the chain, daily digests. Pure.

docs/adr/0282-sealed-heads-and-daily-digests.md
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lambdas.common.audit.canonical import GENESIS, HEAD, canonical, hash_of
from lambdas.common.aws.items import Item
from lambdas.common.keys import KeyRing

_WORKFLOW = re.compile(r"workflow#(?P<name>[^#]+)#(?P<step>CompleteEvent|RecordFailure)")
_ENDS = {
    "CompleteEvent": ("COMPLETED", "completed"),
    "RecordFailure": ("FAILED", "failed"),
}


@dataclass(frozen=True, slots=True)
class DigestLine:
    """The state of an event in a digest: its last entry of the day, and the hash of its entries outside the chain.

    `seq` is 0 where the event had no entry in the chain that day, `outside` "" where it had none beside.
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
            sorted((i for i in others if "seq" in i), key=lambda i: (i["seq"], i["sk"])),
            sorted((i for i in others if "seq" not in i), key=lambda i: str(i["sk"])),
        )

    @property
    def days(self) -> list[str]:
        """The days of its entries (YYYY-MM-DD)."""
        return sorted({str(item.get("day", "")) for item in (*self.chained, *self.outside)})

    def outside_of(self, day: str) -> list[Item]:
        """The entries of a day outside the chain."""
        return [entry for entry in self.outside if entry.get("day") == day]

    @property
    def has_older_format(self) -> bool:
        """Whether an earlier version of this project wrote some of the entries."""
        return any("key_id" in entry for entry in self.chained)


def line_of(entries: Iterable[Item]) -> DigestLine:
    """The digest line of an event, from its entries of one day."""
    items = EventItems.of("", entries)
    last = items.chained[-1] if items.chained else {}
    return DigestLine(int(last.get("seq", 0)), str(last.get("hash", "")), _hash(items.outside))


NOTHING_EXPIRED = (0, GENESIS)


def last_expired(
    items: EventItems, lines: Mapping[str, DigestLine | None], until: str
) -> tuple[int, str]:
    """The number and hash of the last entry that DynamoDB's time to live has deleted.

    `until` is the last day of which entries may be deleted. Entries before the first one that is there are
    expired when that one is of such a day, or when the digest of such a day has the entry before it.
    """
    gone = int(items.chained[0]["seq"]) - 1 if items.chained else 0
    if not gone:
        return NOTHING_EXPIRED
    first = items.chained[0]
    before = gone, str(first.get("prev_hash", ""))
    proven = any(line and (line.seq, line.hash) == before for line in _of_days(lines, until))
    return before if proven or str(first.get("day", "")) <= until else NOTHING_EXPIRED


def check_chain(
    chained: list[Item], ring: KeyRing | None, expired: tuple[int, str] = NOTHING_EXPIRED
) -> Iterator[str]:
    """Yields the faults of the chain by entry, after its expired ones.

    `ring` verifies the entries of earlier versions.
    """
    expected, previous = expired[0] + 1, expired[1]
    for entry in chained:
        # An altered entry may lack attributes: these are read as "".
        sequence, key_id = int(entry["seq"]), entry.get("key_id")
        before = str(entry.get("prev_hash", ""))
        if sequence != expected:
            yield f"entry {expected} is missing"
        elif before != previous:
            yield f"entry {sequence} does not follow the one before it"
        if key_id is not None and (ring is None or key_id not in ring.keys):
            yield f"entry {sequence} was sealed with a key that is gone"
        elif entry.get("hash") != _expected(entry, before, ring):
            yield f"entry {sequence} was altered"
        previous, expected = str(entry.get("hash", "")), sequence + 1


def check_head(
    items: EventItems, lines: Mapping[str, DigestLine | None], until: str, *, sealed: bool
) -> Iterator[str]:
    """Yields the faults of the head. `sealed`: KMS verified its seal. A head without a seal is no fault here.

    Of a chain whose last entry is of `until` or before, head or entries may be expired.
    """
    head, chained = items.head, items.chained
    if head is None:
        if chained and str(chained[-1].get("day", "")) > until:
            yield "the chain's head is missing"
        return
    end = int(head.get("seq", 0)), head.get("hash")
    if not chained and any(
        line and (line.seq, line.hash) == end for line in _of_days(lines, until)
    ):
        return
    last = int(chained[-1]["seq"]) if chained else 0
    if head.get("seq") != last or (chained and head.get("hash") != chained[-1].get("hash")):
        yield f"the chain ends at entry {last}, its head says otherwise"
    if "seal" in head and not sealed:
        yield "the seal of the chain's head is not valid"


def check_outside(
    items: EventItems, lines: Mapping[str, DigestLine | None], until: str
) -> Iterator[str]:
    """Yields the entries outside the chain that the workflow cannot have written.

    Where the digest of `until` or before has the entry, those of its execution may be expired.
    """
    executions = {entry.get("execution_arn") for entry in items.chained}
    for entry in items.outside:
        day = str(entry.get("day", ""))
        line = lines.get(day)
        proven = day <= until and line and line.outside == _hash(items.outside_of(day))
        if not _of_workflow(entry):
            yield f"entry {entry['sk']} is not sealed"
        elif (
            entry["action"] == "COMPLETED"
            and entry["execution_arn"] not in executions
            and not proven
        ):
            yield f"entry {entry['sk']} is of an execution without an entry in the chain"


def check_digests(
    items: EventItems, lines: Mapping[str, DigestLine | None], until: str
) -> Iterator[str]:
    """Yields the contradictions to the digests. `lines` has the event's line for each day with a digest.

    Entries that a digest of `until` or before has may be expired.
    """
    by_seq = {int(entry["seq"]): entry for entry in items.chained}
    for day, line in sorted(lines.items()):
        known = line or DigestLine(0, "")
        of_day = [int(entry["seq"]) for entry in items.chained if entry.get("day") == day]
        if known.seq and known.seq not in by_seq:
            if day > until:
                yield f"entry {known.seq} is missing: the digest of {day} has it"
        elif known.seq and by_seq[known.seq].get("hash") != known.hash:
            yield f"entry {known.seq} is not the one in the digest of {day}"
        if added := [sequence for sequence in of_day if sequence > known.seq]:
            yield f"entry {added[0]} was added after the digest of {day}"
        outside = items.outside_of(day)
        if _hash(outside) != known.outside and (outside or day > until):
            yield f"an entry outside the chain was changed after the digest of {day}"


def check_unsealed(
    items: EventItems, lines: Mapping[str, DigestLine | None], first_digest_at: str
) -> tuple[list[str], list[str]]:
    """The problems, and the parts that cannot be checked, of a chain without a sealed head.

    Earlier versions did not seal heads, and a head expires. Such a chain is proven by the digest of its last
    entry's day. `first_digest_at` is when the first digest was written, "" while there is none: from then on heads have seals.
    """
    if not items.chained or (items.head and "seal" in items.head):
        return [], []
    last = items.chained[-1]
    day = str(last.get("day", ""))
    line = lines.get(day)
    if line and (line.seq, line.hash) == (int(last["seq"]), last.get("hash")):
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
    return ring.mac(before.encode() + canonical(entry), str(key_id))


def _of_workflow(entry: Item) -> bool:
    named = _WORKFLOW.fullmatch(str(entry["sk"]))
    if named is None:
        return False
    said = (entry.get("action"), entry.get("outcome"))
    return (
        entry.get("step") == named["step"]
        and entry.get("actor") == "workflow"
        and said == _ENDS[named["step"]]
        and named["name"] in str(entry.get("execution_arn", "")).split(":")
    )


def _of_days(lines: Mapping[str, DigestLine | None], until: str) -> Iterator[DigestLine | None]:
    return (line for day, line in lines.items() if day <= until)


def _hash(entries: list[Item]) -> str:
    if not entries:
        return ""
    found = sorted(entries, key=lambda entry: str(entry["sk"]))
    return hashlib.sha256(b"\n".join(map(canonical, found))).hexdigest()
