"""The report of a month for a surveyor: counts, reasons and latencies by kind, as headings, texts and tables. Pure.

42 CFR 482.24(d): notices at the time of an emergency registration and an admission (paragraph 3), and
immediately before or at the time of a discharge or transfer (paragraph 4).
"""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import NamedTuple

from ops.cop.events import EventOutcome, EventRecord
from ops.output import count, sentence_case, words
from ops.period import Period

PARAGRAPHS = {
    "ed_registration": "(d)(3)(i)",
    "admission": "(d)(3)(ii)",
    "ed_discharge": "(d)(4)(i)",
    "discharge": "(d)(4)(ii)",
    "transfer": "(d)(4)(ii)",
}
"""The paragraph of 42 CFR 482.24 that asks for a notice of this kind."""

with Path(__file__).with_name("meanings.csv").open(encoding="utf-8", newline="") as _rows:
    MEANINGS = dict(csv.reader(_rows))
"""The reasons' codes in a surveyor's words."""


@dataclass(frozen=True, slots=True)
class ReportHeading:
    """A heading inside the report."""

    text: str


@dataclass(frozen=True, slots=True)
class ReportParagraph:
    """A paragraph of text."""

    text: str


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table; `numbers` are the columns that are aligned right, `widths` the shares of the page's width."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int]
    widths: tuple[int, ...]


Block = ReportHeading | ReportParagraph | ReportTable


@dataclass(frozen=True, slots=True)
class CopReport:
    """The report: its title, the facts under it, and its blocks. `signature` labels the lines to sign."""

    title: str
    facts: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]
    signature: tuple[str, ...]


def report(
    events: Sequence[EventRecord],
    unread: dict[str, str],
    *,
    sender: str,
    environment: str,
    month: Period,
    prepared: str,
) -> CopReport:
    """Returns the report of these events. `prepared` is the moment of its making, "" to leave it out."""
    asked = [one for one in events if one.kind in PARAGRAPHS]
    others = [one for one in events if one.kind not in PARAGRAPHS]
    blocks: list[Block] = [
        ReportHeading("Events that 42 CFR 482.24(d) names"),
        _outcomes(asked),
        ReportHeading("Reasons of events that were not told"),
        *_reasons(events),
        ReportHeading("Time from event to receipt, and from receipt to mail"),
        _latencies(asked),
        ReportParagraph(
            "The time of the event is that of the message (EVN-6, else the visit's, else EVN-2). Receipt is the"
            " storing of the message, mail the acceptance by the mail service. A recipient may have chosen a daily"
            " summary or quiet hours; “at once” leaves those mails out."
        ),
    ]
    if others:
        blocks += [ReportHeading("Other notices"), _outcomes(others)]
    if unread:
        errors = Counter(unread.values())
        named = ", ".join(f"{error} {number}" for error, number in sorted(errors.items()))
        blocks += [
            ReportHeading("Messages without a decision"),
            ReportParagraph(f"Not processed: {count(len(unread), 'message')} ({named})."),
        ]
    blocks += [
        ReportHeading("How this was counted"),
        ReportParagraph(
            "Source: the audit trail of hl7-ens. A month is that of the receipt, in UTC. Each event counts once. Told:"
            " a mail to one provider at least was accepted and not returned. Failed: every mail was refused or"
            " returned, or processing failed. Suppressed: a privacy policy or the patient's decision forbade it, or"
            " the hospital withdrew the event first. Without recipient: the registry names no provider to tell, or"
            " does not know the patient. Each event is shown by the command “ens trace”, and its entries are"
            " verified by “ens audit verify”."
        ),
    ]
    facts = (
        ("Sending hospital system", sender),
        ("Month of receipt", f"{month.since:%Y-%m} (UTC)"),
        ("Environment", environment),
        ("Events", f"{len(events):,}"),
        *((("Prepared", prepared),) if prepared else ()),
    )
    return CopReport(
        "Patient event notifications: 42 CFR 482.24(d)",
        facts,
        tuple(blocks),
        ("Signature", "Name and title", "Date"),
    )


def matching(events: Iterable[EventRecord], wanted: str) -> list[EventRecord]:
    """Returns the events with this outcome, or with this text in a reason; letters' case aside."""
    text = wanted.casefold()
    return [
        one
        for one in events
        if text == one.outcome.casefold()
        or any(text in reason.casefold() for reason in one.reasons)
    ]


def _outcomes(events: Sequence[EventRecord]) -> ReportTable:
    """The number of events by kind and outcome, with the share of those told."""
    columns = tuple(EventOutcome)
    kinds = [kind for kind in PARAGRAPHS if any(one.kind == kind for one in events)]
    kinds += sorted({one.kind for one in events} - PARAGRAPHS.keys())
    rows = [_outcome_row(kind, [one for one in events if one.kind == kind]) for kind in kinds]
    rows.append(_outcome_row("", events))
    return ReportTable(
        ("Event", "482.24", "Events", "Told %", *(sentence_case(one) for one in columns)),
        tuple(rows),
        frozenset(range(2, 4 + len(columns))),
        (20, 10, 9, 8, 9, 10, 9, 13, 10, 8),
    )


def _outcome_row(kind: str, events: Sequence[EventRecord]) -> tuple[str, ...]:
    outcomes = Counter(one.outcome for one in events)
    return (
        sentence_case(words(kind)) if kind else "All",
        PARAGRAPHS.get(kind, ""),
        f"{len(events):,}",
        _share(outcomes[EventOutcome.TOLD], len(events)),
        *(f"{outcomes[one]:,}" for one in EventOutcome),
    )


def _share(part: int, whole: int) -> str:
    """A percentage with one decimal, rounded down: 99.96 is not all."""
    return f"{part * 1000 // whole / 10:.1f}" if whole else "–"


def _reasons(events: Sequence[EventRecord]) -> list[Block]:
    """The reasons by outcome. An event with two reasons counts for both."""
    counts = Counter(
        (one.outcome, reason)
        for one in events
        for reason in one.reasons or ("no outcome yet",)
        if one.outcome is not EventOutcome.TOLD
    )
    if not counts:
        return [ReportParagraph("Every event was told.")]
    order = list(EventOutcome)
    found = sorted(counts.items(), key=lambda one: (order.index(one[0][0]), -one[1], one[0][1]))
    rows = tuple(
        (sentence_case(outcome), _explained(reason), f"{number:,}")
        for (outcome, reason), number in found
    )
    return [ReportTable(("Outcome", "Reason", "Events"), rows, frozenset({2}), (20, 64, 16))]


def _explained(reason: str) -> str:
    """A reason's code with its meaning; a text as it is."""
    return f"{reason}: {MEANINGS[reason]}" if reason in MEANINGS else reason


def _latencies(events: Sequence[EventRecord]) -> ReportTable:
    """Median and 95th percentile in seconds by kind, of the events that were told."""
    told = [_timed(one) for one in events if one.outcome is EventOutcome.TOLD]
    kinds = [kind for kind in PARAGRAPHS if any(one.kind == kind for one in told)]
    groups = [(words(kind), [one for one in told if one.kind == kind]) for kind in kinds]
    rows = []
    for name, group in (*groups, ("all", told)):
        arrival = [one.arrival for one in group if one.arrival is not None]
        prompt = [one.mail for one in group if not one.own_hours]
        figures = (_figures(sample) for sample in (arrival, prompt, [one.mail for one in group]))
        rows.append((sentence_case(name), *(cell for pair in figures for cell in pair)))
    return ReportTable(
        (
            "Told events",
            *("Event to receipt, median", "p95", "Receipt to mail at once, median", "p95"),
            *("Receipt to mail, all, median", "p95"),
        ),
        tuple(rows),
        frozenset(range(1, 7)),
        (18, 17, 12, 18, 12, 17, 12),
    )


class TimedEvent(NamedTuple):
    """The seconds of a told event from the fact to its receipt (None without its time), and from there to the mail."""

    kind: str
    arrival: float | None
    mail: float
    own_hours: bool


def _timed(one: EventRecord) -> TimedEvent:
    arrival = _seconds(one.event_time, one.received_at) if one.event_time else None
    return TimedEvent(one.kind, arrival, _seconds(one.received_at, one.mailed_at), one.own_hours)


def _figures(sample: list[float]) -> tuple[str, str]:
    return _in_words(percentile(sample, 50)), _in_words(percentile(sample, 95))


def percentile(sample: Sequence[float], share: int) -> float | None:
    """The nearest-rank percentile; None for an empty sample."""
    ordered = sorted(sample)
    return ordered[ceil(len(ordered) * share / 100) - 1] if ordered else None


def _seconds(since: str, until: str) -> float:
    """Seconds between two moments, 0 where the second is earlier: clocks of hospitals differ."""
    elapsed = datetime.fromisoformat(until) - datetime.fromisoformat(since)
    return max(0.0, elapsed.total_seconds())


def _in_words(seconds: float | None) -> str:
    """`1.4 s`, `2 min 05 s` or `3 h 10 min`."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
