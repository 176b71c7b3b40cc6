"""The tables of a report, as titles, headings and rows of text; terminal and Markdown write the same."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ops.feed.checking.shown_codes import LEAST_PATIENTS
from ops.feed.report.finding import percent
from ops.feed.report.report import CodeLines, EventLine, FeedReport, FieldLine
from ops.output import count, words

MAX_ROWS = 15
"""Most rows of the tables of warnings and trigger events; the JSON document has all."""

MAX_LISTED = 12


@dataclass(frozen=True, slots=True)
class Section:
    """One table. A heading that begins with `>` aligns its column right. `note` stands below it."""

    title: str
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str = ""


def summary(report: FeedReport) -> list[str]:
    """The first lines: the messages that were read, and how many would be told."""
    files, messages, times = report.files, report.messages, report.times
    days = f", sent {times.first_day} to {times.last_day}" if times.first_day else ""
    known = "its file was used" if report.known else "a new sender, without a file"
    lines = [
        f"{count(messages.total, 'message')} in {count(files.files, 'file')}{days}.",
        f"Sender {report.sender} ({known}), environment {report.environment}.",
        f"Accepted {messages.accepted:,}, rejected {messages.rejected:,}. Of the accepted: told"
        f" {messages.told:,}, not told {messages.silent:,}, came again {messages.copies:,},"
        f" dead letters {messages.dead_letters:,}.",
        f"Bytes: {files.message_bytes:,} of accepted messages, {files.rejected_bytes:,} of rejected"
        f" ones, {files.skipped_bytes:,} skipped (line ends, framing, batch segments, anything else).",
    ]
    if messages.acknowledgements:
        lines.append(
            f"{count(messages.acknowledgements, 'acknowledgement')} in a capture: skipped."
        )
    if report.forgotten_encounters:
        lines.append(
            f"{count(report.forgotten_encounters, 'encounter')} with the oldest last messages were"
            " forgotten to bound the memory: what is told of their later messages may differ."
        )
    if report.forgotten_messages:
        lines.append(
            f"{count(report.forgotten_messages, 'message')} with the oldest control ids were forgotten"
            " to bound the memory: a copy of one of them counts as a new message."
        )
    return lines


def sections(report: FeedReport) -> Iterator[Section]:
    """The tables in the order of their importance; those without rows are left out."""
    found = (
        Section(
            "Fields",
            ("field", ">expected", ">missing", ">unreadable"),
            [_field(one) for one in report.fields if one.missing or one.unreadable],
            _filled(report),
        ),
        Section(
            "Events",
            ("event", ">messages", "told", "not told"),
            [_event(one) for one in report.events[:MAX_ROWS]],
            "Told: a notice is made for the patient's providers. The registry and the"
            " providers' preferences choose the recipients, and are not part of this check.",
        ),
        Section(
            "Codes",
            ("field", "known", "others"),
            [_codes(one) for one in report.codes],
            _rule_of_codes(report),
        ),
        Section(
            "Warnings",
            (">messages", "warning"),
            [(f"{one.messages:,}", one.text) for one in report.warnings[:MAX_ROWS]],
            _more(len(report.warnings) - MAX_ROWS, "warning"),
        ),
        Section("Messages", ("", ""), list(_kinds(report))),
    )  # fmt: skip
    yield from (one for one in found if one.rows)


def _part(number: int, whole: int) -> str:
    return f"{number:,} ({percent(number, whole)})" if number else "–"


def _field(one: FieldLine) -> tuple[str, ...]:
    parts = (_part(number, one.expected) for number in (one.missing, one.unreadable))
    return one.position, f"{one.expected:,}", *parts


def _filled(report: FeedReport) -> str:
    """The fields without a fault, and the share of attending doctors with an NPI."""
    full = [one.position for one in report.fields if not one.missing and not one.unreadable]
    lines = [f"Always filled and readable: {', '.join(full)}."] if full else []
    if report.attending:
        share = percent(report.attending_npi, report.attending)
        lines.append(
            f"PV1-7 has a valid NPI in {share} of the {report.attending:,} messages that name a doctor."
        )
    return " ".join(lines)


def _event(one: EventLine) -> tuple[str, ...]:
    return one.trigger_event, f"{one.messages:,}", _listed(one.told), _listed(one.silent)


def _rule_of_codes(report: FeedReport) -> str:
    if not any(one.hidden.values for one in report.codes):
        return ""
    return (
        f"A value is shown where it looks like a code and {LEAST_PATIENTS} patients or more have it;"
        " any other may be a name or a number in the wrong field."
    )


def _codes(one: CodeLines) -> tuple[str, ...]:
    others = [
        f"{code.value}{f' as {code.read_as}' if code.read_as else ''} {code.messages:,}"
        for code in one.others[:MAX_LISTED]
    ]
    if len(one.others) > MAX_LISTED:
        others.append(f"{len(one.others) - MAX_LISTED} more")
    if one.hidden.values:
        others.append(f"{count(one.hidden.values, 'value')} not shown ({one.hidden.messages:,})")
    return f"{one.position} {one.name}", _listed(one.standard), ", ".join(others) or "–"


def _kinds(report: FeedReport) -> Iterator[tuple[str, ...]]:
    times = report.times
    named: tuple[tuple[str, Mapping[str, int]], ...] = (
        ("MSH-3 / MSH-4", report.origins),
        ("types", report.message_types),
        ("versions", report.versions),
        ("MSH-11", report.processing_ids),
        ("character sets", report.character_sets),
        ("segment ends", report.terminators),
        ("offsets of MSH-7", times.offsets),
        ("EVN-2 to MSH-7", times.delays),
    )
    for name, counts in named:
        if counts:
            yield name, _listed(counts)


def _listed(counts: Mapping[str, int]) -> str:
    parts = [f"{words(name)} {number:,}" for name, number in list(counts.items())[:MAX_LISTED]]
    if len(counts) > MAX_LISTED:
        parts.append(f"{len(counts) - MAX_LISTED} more")
    return ", ".join(parts) or "–"


def _more(number: int, thing: str) -> str:
    return f"{count(number, f'more {thing}')} in the JSON document (--json)." if number > 0 else ""
