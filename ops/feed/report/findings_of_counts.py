"""Derives the findings of a feed from its counts."""

from collections.abc import Iterator
from dataclasses import replace

from hl7.warnings import WarningCode
from lambdas.track_encounter.reading import CONTRADICTING_DEATH
from ops.feed.checking.needed_fields import SMALL_SHARE, FieldRule
from ops.feed.checking.places import Occurrences, Place
from ops.feed.checking.shown_codes import CodeField
from ops.feed.checking.tally import FeedTally
from ops.feed.checking.times import DELAYS, NO_OFFSET
from ops.feed.report.advice import CODES, DOUBTS, FINDINGS, REJECTIONS, WARNINGS
from ops.feed.report.finding import FeedFinding, FindingText, Severity, by_importance, finding
from ops.output import count

A_WEEK = 200
"""From so many messages on, a trigger event that never came is a finding."""

MOST_CODES = 6
MOST_POSITIONS = 5


def findings_of(
    tally: FeedTally, *, has_zone: bool = False, has_date_order: bool = False, known: bool = False
) -> tuple[FeedFinding, ...]:
    """The findings, the most important first.

    `has_zone`, `has_date_order`: the sender's file names a time zone, or the order of day and month.
    `known`: the sender has a file.
    """
    return by_importance(
        [
            *_of_files(tally),
            *_of_receiver(tally, known=known),
            *_of_dead_letters(tally),
            *_of_messages(tally),
            *_of_fields(tally),
            *_of_codes(tally),
            *_of_warnings(tally),
            *_of_times(tally, has_zone=has_zone, has_date_order=has_date_order),
            *_of_triggers(tally),
        ]
    )


def _of_files(tally: FeedTally) -> Iterator[FeedFinding]:
    files = tally.files
    for name, seen in (
        ("unreadable_files", files.unreadable),
        ("files_without_messages", files.without_messages),
        ("behind_text", files.behind_text),
        ("batches", files.batches),
    ):
        yield from finding(FINDINGS[name], seen, files.files, files=count(seen.count, "file"))


def _of_receiver(tally: FeedTally, *, known: bool) -> Iterator[FeedFinding]:
    for reason, seen in tally.rejected.most_frequent():
        text = FINDINGS["rejected"]
        if advice := REJECTIONS.get(reason):
            text = replace(text, severity=advice.severity, ask=advice.ask, do=advice.do)
        said = tally.rejection_texts[reason]
        yield from finding(text, seen, tally.messages, said=said, reason=reason)
    senders = tally.origins.different()
    if not known and senders > 1:
        others = Occurrences(tally.origins.total - tally.origins.most())
        several = FINDINGS["several_senders"]
        yield from finding(several, others, tally.messages, senders=senders)


def _of_dead_letters(tally: FeedTally) -> Iterator[FeedFinding]:
    for error, seen in tally.dead_letters.most_frequent():
        name = "fault_of_ours" if error.startswith("a fault of") else "dead_letter"
        yield from finding(FINDINGS[name], seen, tally.messages, error=error)


def _of_messages(tally: FeedTally) -> Iterator[FeedFinding]:
    ids = tally.control_ids
    yield from finding(FINDINGS["no_known_authority"], tally.not_assertable, tally.accepted)
    yield from finding(FINDINGS["test_patients"], tally.test_patients, tally.accepted)
    yield from finding(FINDINGS["control_id_reused"], ids.other, tally.messages)
    yield from finding(FINDINGS["same_message"], ids.same, tally.messages)


def _of_fields(tally: FeedTally) -> Iterator[FeedFinding]:
    for rule, seen in tally.fields.with_rules():
        missing = FindingText(
            severity=_reduced(rule, seen.missing.count, seen.expected),
            subject=rule.position,
            what="Missing.",
            consequence=rule.without,
            ask=rule.ask,
        )
        yield from finding(missing, seen.missing, seen.expected)
        if rule.position not in _CODED:
            unreadable = replace(missing, severity=rule.unreadable, what="Cannot be read.")
            yield from finding(unreadable, seen.unreadable, seen.expected)


_CODED = frozenset({"PV1-2", "PV1-36", "PID-8"})


def _reduced(rule: FieldRule, missing: int, expected: int) -> Severity:
    """The severity of a missing field: a small share is no error, but for the patient's identifier."""
    if rule.position == "PID-3" or missing >= SMALL_SHARE * expected:
        return rule.missing
    return Severity.INFO


def _of_codes(tally: FeedTally) -> Iterator[FeedFinding]:
    coded = tally.coded
    for position, of in (
        ("PV1-2", coded.classes),
        ("PV1-4", coded.admission_types),
        ("PID-8", coded.sexes),
        ("PV1-36", coded.dispositions),
    ):
        total = of.count() + sum(coded.standard.get(position, {}).values())
        yield from finding(CODES[position], _unread(of), total, codes=_listed(of))


def _unread(of: CodeField) -> Occurrences:
    """The messages whose value could not be read, those of hidden values included."""
    places: list[Place] = []
    number = 0
    for messages, examples in of.unread():
        number += messages
        places += examples
    return Occurrences(number, tuple(sorted(places)[:3]))


def _listed(of: CodeField) -> str:
    """The codes that could not be read, with the number of their messages."""
    shown = [one for one in of.shown() if not one.read_as]
    parts = [f"{one.value} ({one.messages:,})" for one in shown[:MOST_CODES]]
    if len(shown) > MOST_CODES:
        parts.append(f"{len(shown) - MOST_CODES} more")
    hidden = len(list(of.unread())) - len(shown)
    if hidden:
        parts.append(f"{count(hidden, 'value')} that may be no code, not shown")
    return ", ".join(parts)


def _of_warnings(tally: FeedTally) -> Iterator[FeedFinding]:
    for code, text in WARNINGS.items():
        if seen := tally.warned.get(code):
            at = replace(text, subject=_positions(tally, code))
            yield from finding(at, seen, tally.accepted)
    deaths = sum(tally.warned[code].count for code in _DEATHS if code in tally.warned)
    for doubt, seen_doubt in tally.doubts.most_frequent():
        if doubt == CONTRADICTING_DEATH and seen_doubt.count <= deaths:
            continue  # the same messages as those of the warnings
        unlisted = FindingText(severity=Severity.WARNING, subject="encounters", what=doubt)
        yield from finding(DOUBTS.get(doubt, unlisted), seen_doubt, tally.accepted)
    if assumed := [tally.warned[code] for code in _CHARACTER_SETS if code in tally.warned]:
        most = max(assumed, key=lambda one: one.count)
        yield from finding(FINDINGS["character_set"], most, tally.accepted)


def _positions(tally: FeedTally, code: WarningCode) -> str:
    """The positions with a kind of warning, the most frequent first."""
    found = sorted(
        (-seen.messages.count, position)
        for (one, position), seen in tally.warnings.items()
        if one is code
    )
    named = [position.removeprefix("a ") or "message" for _, position in found]
    more = f" and {len(named) - MOST_POSITIONS} more" if len(named) > MOST_POSITIONS else ""
    return ", ".join(named[:MOST_POSITIONS]) + more


_DEATHS = (WarningCode.DEATH_UNCLEAR, WarningCode.DEATH_CONTRADICTED)
_CHARACTER_SETS = (
    WarningCode.CHARACTER_SET_ASSUMED,
    WarningCode.CHARACTER_SET_UNKNOWN,
    WarningCode.CHARACTER_SET_WRONG,
)


def _of_times(tally: FeedTally, *, has_zone: bool, has_date_order: bool) -> Iterator[FeedFinding]:
    times = tally.times
    sent, delayed = sum(times.offsets.values()), sum(times.delays.values())
    without = Occurrences(times.offsets[NO_OFFSET])
    if not has_zone:
        yield from finding(FINDINGS["no_offset"], without, sent)
    yield from finding(FINDINGS["backwards"], times.backwards, sent)
    ahead = Occurrences(times.delays[DELAYS[0][1]] + times.delays[DELAYS[1][1]])
    yield from finding(FINDINGS["recorded_after_sending"], ahead, delayed)
    late = Occurrences(times.delays[DELAYS[-1][1]])
    yield from finding(FINDINGS["sent_late"], late, delayed)
    either = Occurrences(times.date_forms["either"])
    if not has_date_order:
        yield from finding(FINDINGS["ambiguous_dates"], either, tally.accepted)


def _of_triggers(tally: FeedTally) -> Iterator[FeedFinding]:
    came = tally.decisions
    total = sum(one.messages for one in came.values())
    if total < A_WEEK:
        events = f"{total:,}"
        yield from finding(FINDINGS["small_feed"], Occurrences(total), total, events=events)
        return
    begins = {"A01", "A04", "A06"} & came.keys()
    for trigger, name, severity in (
        ("A03", "discharge", Severity.ERROR),
        ("A01", "admission", Severity.WARNING),
        ("A08", "update", Severity.INFO),
        ("A11", "cancelled admission", Severity.INFO),
        ("A13", "cancelled discharge", Severity.INFO),
        ("A40", "merge of two patient records", Severity.INFO),
    ):
        if trigger not in came and (begins or trigger == "A01"):
            text = FINDINGS["no_trigger"]
            yield FeedFinding(
                severity=severity,
                subject=text.subject,
                what=text.what.format(trigger=trigger, name=name),
                messages=0,
                of=total,
                consequence=text.consequence,
                ask=text.ask.format(trigger=trigger),
            )
