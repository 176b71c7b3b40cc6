"""Derives the findings of a feed from its counts."""

from collections.abc import Iterator

from hl7.warnings import WarningCode
from lambdas.track_encounter.reading import CONTRADICTING_DEATH
from ops.feed.checking.needed_fields import SMALL_SHARE, FieldRule
from ops.feed.checking.places import Occurrences, Place
from ops.feed.checking.shown_codes import CodeField
from ops.feed.checking.tally import FeedTally
from ops.feed.checking.times import DELAYS, NO_OFFSET
from ops.feed.report.advice import (
    DOUBTS,
    REJECTIONS,
    WARNINGS,
)
from ops.feed.report.finding import (
    ERROR,
    INFO,
    WARNING,
    FeedFinding,
    Severity,
    by_importance,
    finding,
)
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
            *_of_authorities(tally),
            *_of_test_patients(tally),
            *_of_control_ids(tally),
            *_of_fields(tally),
            *_of_codes(tally),
            *_of_warnings(tally),
            *_of_times(tally, has_zone=has_zone, has_date_order=has_date_order),
            *_of_triggers(tally),
        ]
    )


def _of_files(tally: FeedTally) -> Iterator[FeedFinding]:
    files = tally.files
    yield from finding(
        ERROR, "files", f"{count(files.unreadable.count, 'file')} cannot be read to the end.",
        files.unreadable, files.files,
        do="Check the permissions of these files, and whether they were copied completely.",
    )  # fmt: skip
    yield from finding(
        WARNING, "files", f"{count(files.without_messages.count, 'file')} without an HL7 v2 message.",
        files.without_messages, files.files,
        consequence="No line of it begins with MSH.",
        ask="Send the files as the interface engine sends them: ER7 with one MSH a message.",
    )  # fmt: skip
    yield from finding(
        WARNING, "files", "MSH stands behind other text of a line, as in a log.",
        files.behind_text, files.files,
        consequence="These messages were not read.",
        ask="Export the messages alone, without the time or level that a log writes before each.",
    )  # fmt: skip
    yield from finding(
        WARNING, "FHS, BHS", f"{count(files.batches.count, 'file')} with batch segments.",
        files.batches, files.files,
        consequence="They were skipped here. The receiver rejects a frame that begins with one.",
        ask="Confirm that MLLP sends one message in a frame, and no batches.",
    )  # fmt: skip


def _of_receiver(tally: FeedTally, *, known: bool) -> Iterator[FeedFinding]:
    for reason, seen in tally.rejected.most_frequent():
        severity, ask, do = REJECTIONS.get(reason, (ERROR, "", ""))
        yield from finding(
            severity, "receiver", f"Rejected: {tally.rejection_texts[reason]} ({reason}).",
            seen, tally.messages, ask=ask, do=do,
            consequence="The sender gets AE or AR, and nothing is stored for processing.",
        )  # fmt: skip
    if not known and tally.origins.different() > 1:
        others = Occurrences(tally.origins.total - tally.origins.most())
        yield from finding(
            WARNING, "MSH-3, MSH-4", f"{tally.origins.different()} different senders in the files.",
            others, tally.messages,
            consequence="A sender's file names one MSH-3 and MSH-4; others are unknown senders.",
            ask="Name the system behind each MSH-3 and MSH-4, and confirm which ones will connect.",
            do="Write a file for each one.",
        )  # fmt: skip


def _of_dead_letters(tally: FeedTally) -> Iterator[FeedFinding]:
    for error, seen in tally.dead_letters.most_frequent():
        ours = error.startswith("a fault of")
        yield from finding(
            ERROR, "workflow", f"Dead letter: {error}.", seen, tally.messages,
            consequence="The message is acknowledged and goes to the dead-letter queue.",
            ask="" if ours else "Correct these messages at their source.",
            do="Report the kind of this fault to the project, never the message." if ours else "",
        )  # fmt: skip


def _of_test_patients(tally: FeedTally) -> Iterator[FeedFinding]:
    yield from finding(
        INFO, "PID-3, PID-5", "About a test patient, by name or identifier.",
        tally.test_patients, tally.accepted,
        consequence="These notifications are marked as a test in subject and letter.",
        ask="Confirm how the names and identifiers of test patients begin.",
        do="Write the answer into test_patient_names and test_patient_identifiers.",
    )  # fmt: skip


def _of_authorities(tally: FeedTally) -> Iterator[FeedFinding]:
    yield from finding(
        ERROR, "PID-3.4", "No identifier has an authority that the sender's file allows.",
        tally.not_assertable, tally.accepted,
        consequence="The patient is not looked up, and the event is dead-lettered with an alarm.",
        ask="Name every assigning authority of the feed, exactly as sent.",
        do="Add it to `assigning_authorities`, or correct `default_assigning_authority`.",
    )  # fmt: skip


def _of_control_ids(tally: FeedTally) -> Iterator[FeedFinding]:
    ids = tally.control_ids
    yield from finding(
        WARNING, "MSH-10", "A control id was used before for another message.",
        ids.other, tally.messages,
        consequence="Both are processed; an acknowledgement does not say which one it answers.",
        ask="Give each message an MSH-10 of its own (HL7 v2.9, 2.14.9.10).",
    )  # fmt: skip
    yield from finding(
        INFO, "MSH-10", "The same message came again.", ids.same, tally.messages,
        consequence="Each is told once. The files may overlap.",
    )  # fmt: skip


def _of_fields(tally: FeedTally) -> Iterator[FeedFinding]:
    for rule, seen in tally.fields.with_rules():
        yield from finding(
            _reduced(rule, seen.missing.count, seen.expected), rule.position,
            "Missing.", seen.missing, seen.expected,
            consequence=rule.without, ask=rule.ask,
        )  # fmt: skip
        if seen.unreadable.count and rule.position not in _CODED:
            yield from finding(
                rule.unreadable, rule.position, "Cannot be read.",
                seen.unreadable, seen.expected, consequence=rule.without, ask=rule.ask,
            )  # fmt: skip


_CODED = frozenset({"PV1-2", "PV1-36", "PID-8"})


def _reduced(rule: FieldRule, missing: int, expected: int) -> Severity:
    """The severity of a missing field: a small share is no error, but for the patient's identifier."""
    if rule.position == "PID-3" or missing >= SMALL_SHARE * expected:
        return rule.missing
    return INFO


def _of_codes(tally: FeedTally) -> Iterator[FeedFinding]:
    coded = tally.coded
    for position, severity, of, what, consequence in (
        ("PV1-2", ERROR, coded.classes, "patient classes", "The class decides what is told."),
        ("PV1-4", INFO, coded.admission_types, "admission types", "The notification names no type."),
        ("PID-8", WARNING, coded.sexes, "codes of sex", "The notification shows the code as sent."),
        (
            "PV1-36", WARNING, coded.dispositions, "discharge dispositions",
            "Readers see the code as sent. One without a text may mean a death, which is then not told.",
        ),
    ):  # fmt: skip
        unknown = _unread(of)
        if unknown.count:
            total = of.count() + sum(coded.standard.get(position, {}).values())
            yield from finding(
                severity, position, f"Unknown {what}: {_listed(of)}.", unknown, total,
                consequence=consequence,
                ask=f"Send your table of {what} ({position}), each code with its meaning.",
                do="Put the meanings into the sender's file; the proposed file lists the codes.",
            )  # fmt: skip


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
    for code, (severity, what, ask) in WARNINGS.items():
        if seen := tally.warned.get(code):
            subject = _positions(tally, code)
            yield from finding(severity, subject, what, seen, tally.accepted, ask=ask)
    deaths = sum(tally.warned[code].count for code in _DEATHS if code in tally.warned)
    for doubt, seen_doubt in tally.doubts.most_frequent():
        if doubt == CONTRADICTING_DEATH and seen_doubt.count <= deaths:
            continue  # the same messages as those of the warnings
        severity, what, ask = DOUBTS.get(doubt, (WARNING, doubt, ""))
        yield from finding(severity, "encounters", what, seen_doubt, tally.accepted, ask=ask)
    if assumed := [tally.warned[code] for code in _CHARACTER_SETS if code in tally.warned]:
        most = max(assumed, key=lambda one: one.count)
        yield from finding(
            WARNING, "MSH-18", "The bytes are not in the character set that MSH-18 names, or none is named.",
            most, tally.accepted,
            consequence="Names with accents may be read wrongly.",
            ask="Declare the character set of the bytes in MSH-18, best UNICODE UTF-8.",
        )  # fmt: skip


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
    sent = sum(times.offsets.values())
    without = times.offsets[NO_OFFSET]
    if without and not has_zone:
        yield from finding(
            WARNING, "MSH-7", "Times have no offset, and the sender's file has no time zone.",
            Occurrences(without), sent,
            consequence="They are read as UTC, so notifications give a wrong hour.",
            ask="Name the time zone of the times, or send the offset (YYYYMMDDHHMMSS-0400).",
            do="Set `time_zone` in the sender's file.",
        )  # fmt: skip
    yield from finding(
        INFO, "MSH-7", "A message was sent before the one ahead of it in the files.",
        times.backwards, sent,
        consequence="Events are put in order by their own times, so this is harmless by itself.",
        ask="Confirm that the interface sends the messages of one patient in order.",
    )  # fmt: skip
    delayed = sum(times.delays.values())
    ahead = times.delays[DELAYS[0][1]] + times.delays[DELAYS[1][1]]
    yield from finding(
        WARNING, "EVN-2", "The event was recorded after its message was sent.",
        Occurrences(ahead), delayed,
        consequence="Events may be put in the wrong order.",
        ask="Compare the clocks and time zones of the application (EVN-2) and the engine (MSH-7).",
    )  # fmt: skip
    late = times.delays[DELAYS[-1][1]]
    yield from finding(
        INFO, "EVN-2", "The message was sent more than a day after the event was recorded.",
        Occurrences(late), delayed,
        consequence="A notice says that it comes late; after 30 days nobody is told.",
        ask="Say whether these are resent or loaded messages.",
    )  # fmt: skip
    either = times.date_forms["either"]
    if either and not has_date_order:
        yield from finding(
            WARNING, "PID-7, PID-29", "Dates such as 03/04/1961 may be read in two ways.",
            Occurrences(either), tally.accepted,
            consequence="They are not read.",
            ask="Send dates as YYYYMMDD, or say whether day or month comes first.",
            do="Set `date_order` in the sender's file.",
        )  # fmt: skip


def _of_triggers(tally: FeedTally) -> Iterator[FeedFinding]:
    came = tally.decisions
    total = sum(one.messages for one in came.values())
    if total < A_WEEK:
        if total:
            yield FeedFinding(
                severity=INFO, subject="feed", what=f"The feed is small: {total:,} different events.",
                messages=total, of=total,
                ask="Send the messages of a whole week, nights and a weekend among them.",
            )  # fmt: skip
        return
    begins = {"A01", "A04", "A06"} & came.keys()
    for trigger, name, severity in (
        ("A03", "discharge", ERROR),
        ("A01", "admission", WARNING),
        ("A08", "update", INFO),
        ("A11", "cancelled admission", INFO),
        ("A13", "cancelled discharge", INFO),
        ("A40", "merge of two patient records", INFO),
    ):
        if trigger not in came and (begins or trigger == "A01"):
            yield FeedFinding(
                severity=severity, subject="MSH-9", what=f"No {trigger} ({name}) in the feed.",
                messages=0, of=total,
                consequence="An event that the interface does not send is never told or taken back.",
                ask=f"Confirm that the interface sends {trigger}, and under which conditions.",
            )  # fmt: skip
