"""Verifies the audit trail: one event, or all events of a period with their digests."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

from lambdas.common.audit import chain, checks
from lambdas.common.audit.checks import DigestLine, EventItems, Expiry, Verdict
from lambdas.common.audit.digests import DigestBucket, day_before, link_fault
from lambdas.common.audit.seal import is_sealed
from lambdas.common.aws.items import Item
from lambdas.common.function.context import Context

WORKERS = 16
"""Events that are read and verified at the same time: each takes a Query and a call of KMS."""


LOOK_AHEAD_DAYS = 31
"""Days after an event's last entry whose digests are searched for later entries."""


@dataclass(frozen=True, slots=True)
class PeriodVerdict:
    """Result of checking a period. `problems` and `unchecked` concern no single event.

    `without_entries` are events of `also` of which the audit table has nothing.
    """

    events: int
    entries: int
    digests: int
    faulty: list[Verdict] = field(default_factory=list)
    without_entries: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        """Whether something is missing or altered."""
        return bool(self.problems) or any(verdict.problems for verdict in self.faulty)

    @property
    def holds(self) -> bool:
        """Whether everything was checked, and nothing is missing or altered."""
        return not (self.faulty or self.problems or self.unchecked)


def verify(context: Context, event_id: str, digests: DigestBucket | None = None) -> Verdict:
    """Checks an event: every entry present, in order and unaltered, the head sealed, the digests fulfilled.

    Without `digests` a chain of an earlier version cannot be checked.
    """
    items = EventItems.of(event_id, chain.items(context, event_id))
    known = digests.days() if digests else []
    if digests and items.days:
        # Entries of a later day may be missing: the digests of the following days would name them.
        newest = min(items.days[-1], newest_day())
        last = date.fromisoformat(newest) + timedelta(days=LOOK_AHEAD_DAYS)
        for day in known:
            if items.days[0] <= day <= last.isoformat():
                digests.read(day)
    return _verdict(context, items, digests, known)


def verify_period(
    context: Context,
    digests: DigestBucket,
    first: str,
    last: str,
    *,
    due: str,
    also: Iterable[str] = (),
) -> PeriodVerdict:
    """Checks every event with an entry of a day from `first` to `last`, and the digests of these days.

    `due` is the newest day whose digest must be there. `also` are further events, from the status table.
    """
    known = digests.days()
    days = [_checked_day(context, digests, day, known, due) for day in _days(first, last)]
    event_ids = sorted({*also, *(event for day in days for event in day.events)})
    found = verify_events(context, digests, known, event_ids)
    return PeriodVerdict(
        events=len(found),
        entries=sum(verdict.entries for verdict in found),
        digests=sum(day.has_digest for day in days),
        faulty=[verdict for verdict in found if not verdict.holds],
        without_entries=[v.event_id for v in found if v.holds and not v.entries],
        problems=[problem for day in days for problem in day.problems],
        unchecked=[problem for day in days for problem in day.unchecked],
    )


def verify_events(
    context: Context, digests: DigestBucket, known: list[str], event_ids: Iterable[str]
) -> list[Verdict]:
    """Checks these events. `known` are the days that have a digest; those of the entries alone are read."""
    one = partial(_verified, context, digests, known)
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(one, event_ids))


@dataclass(frozen=True, slots=True)
class _Day:
    """The events of a day, in table or digest, and the faults of its digest."""

    events: frozenset[str]
    has_digest: bool = False
    problems: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


def _checked_day(
    context: Context, digests: DigestBucket, day: str, known: list[str], due: str
) -> _Day:
    events = frozenset(_events_of_day(context, day))
    digest = digests.read(day)
    before = digests.read(day_before(day)) if digest else None
    if day in digests.unreadable:
        return _Day(events, problems=(f"the digest of {day} is unreadable",))
    if digest:
        faults = [link_fault(digest, before) if before or day != known[0] else ""]
        if (digest.day, digest.environment) != (day, context.settings.environment):
            faults.append(f"the digest of {day} is of another day or environment")
        return _Day(events | digest.lines.keys(), True, tuple(filter(None, faults)))
    if day > due:
        return _Day(events)
    if known and (day >= known[0] or events):
        return _Day(events, problems=(f"there is no digest of {day}",))
    return _Day(events, unchecked=(f"there is no digest of {day} yet",) if events else ())


def _verified(context: Context, digests: DigestBucket, known: list[str], event_id: str) -> Verdict:
    items = EventItems.of(event_id, chain.items(context, event_id))
    return _verdict(context, items, digests, known)


def _verdict(
    context: Context, items: EventItems, digests: DigestBucket | None, known: list[str]
) -> Verdict:
    ring = context.audit_keys if items.has_older_format else None
    until = _last_day_of_expired(context)
    expiry = Expiry(_lines(items, digests, known, until), until)
    first = digests.read(known[0]) if digests and known else None
    unsealed, unchecked = checks.check_unsealed(items, expiry.lines, first.made_at if first else "")
    problems = [
        *checks.check_forms(items, newest_day()),
        *checks.check_chain(items.chained, ring, expiry),
        *checks.check_head(items, expiry, sealed=_is_sealed(context, items.head)),
        *unsealed,
        *checks.check_outside(items, expiry),
        *checks.check_digests(items, expiry),
    ]
    if not problems:
        unchecked += checks.check_remains(items, expiry)
    if digests:
        unchecked += [f"the digest of {day} is unreadable" for day in sorted(digests.unreadable)]
    verdict = Verdict(items.event_id, len(items.chained), len(items.outside), problems)
    return replace(verdict, unchecked=unchecked)


def _lines(
    items: EventItems, digests: DigestBucket | None, known: list[str], until: str
) -> dict[str, DigestLine | None]:
    """The event's line in the digest of each day of its entries, and of each other day that names it.

    Where entries are gone, the digests of `until` and before are read back to the one that has them.
    """
    if digests is None:
        return {}
    days = set(items.days) & set(known)
    found = {day: digest.lines.get(items.event_id) for day in days if (digest := digests.read(day))}
    for day in (day for day in reversed(known) if items.lacks_entries and day <= until):
        digest = digests.read(day)
        if digest and items.event_id in digest.lines:
            break
    return {**found, **digests.lines_of(items.event_id)}


def newest_day() -> str:
    """The newest day (UTC) that an entry may have; an hour is for the clock of this machine."""
    return (datetime.now(UTC) + timedelta(hours=1)).date().isoformat()


def _last_day_of_expired(context: Context) -> str:
    """The last day (UTC) of which entries may have reached their time to live by now."""
    kept = timedelta(days=context.settings.stored_days.audit)
    return (datetime.now(UTC) - kept).date().isoformat()


def _is_sealed(context: Context, head: Item | None) -> bool:
    return head is not None and "seal" in head and is_sealed(context, head)


def _events_of_day(context: Context, day: str) -> Iterator[str]:
    found = chain.of_day(context, day, ProjectionExpression="event_id")
    return (str(item["event_id"]) for item in found)


def _days(first: str, last: str) -> Iterator[str]:
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        yield day.isoformat()
        day += timedelta(days=1)
