"""The report about a feed: findings, tables and the proposed sender's file. All of it may be shown.

`report_of` is the one place that takes values out of the counts; the three forms of output only write
what it returns.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, TypeVar

from hl7.warnings import TEXTS, WarningCode
from ops.feed.checking.check import FeedCheck
from ops.feed.checking.coded_fields import CodedFields
from ops.feed.checking.origins import OriginTally
from ops.feed.checking.places import Occurrences
from ops.feed.checking.shown_codes import HiddenCodes, ShownCode
from ops.feed.checking.tally import FeedTally, OccurrenceTable, WarningTally
from ops.feed.proposal.sender_file import proposed_file
from ops.feed.report.finding import FeedFinding, Severity
from ops.feed.report.findings_of_counts import findings_of

T = TypeVar("T")

FORMAT = 1
"""The version of the JSON document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCounts:
    """The files, and their bytes: `message_bytes`, `rejected_bytes` and `skipped_bytes` are all of them."""

    files: int
    unreadable: int
    without_messages: int
    forms: dict[str, int]
    total_bytes: int
    message_bytes: int
    rejected_bytes: int
    skipped_bytes: int
    batch_segments: int
    empty_frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCounts:
    """The messages: `total` are `accepted` and `rejected`; `accepted` are told, silent, copies and dead letters.

    `acknowledgements` are answers in a capture, which are in no other number.
    """

    total: int
    accepted: int
    rejected: int
    told: int
    silent: int
    copies: int
    dead_letters: int
    acknowledgements: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLine:
    """A field: in how many messages it was expected, missing and unreadable."""

    position: str
    expected: int
    missing: int
    unreadable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLines:
    """The values of a coded field: those of its standard table, others that may be shown, and the rest."""

    position: str
    name: str
    standard: dict[str, int]
    others: tuple[ShownCode, ...]
    hidden: HiddenCodes


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """The messages of one trigger event: notices by kind, and reasons why nobody is told."""

    trigger_event: str
    messages: int
    told: dict[str, int]
    silent: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningLine:
    """A kind of warning at a position, and its messages."""

    code: WarningCode
    position: str
    text: str
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLines:
    """Days of MSH-7, its offsets, and the delay from EVN-2 to MSH-7."""

    first_day: str
    last_day: str
    offsets: dict[str, int]
    delays: dict[str, int]
    backwards: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReport:
    """The whole report. `known`: the sender has a file, whose codes and zone were used."""

    format: int = FORMAT
    sender: str
    known: bool
    environment: str
    files: FileCounts
    messages: MessageCounts
    findings: tuple[FeedFinding, ...]
    fields: tuple[FieldLine, ...]
    codes: tuple[CodeLines, ...]
    events: tuple[EventLine, ...]
    warnings: tuple[WarningLine, ...]
    times: TimeLines
    message_types: dict[str, int]
    origins: dict[str, int]
    versions: dict[str, int]
    processing_ids: dict[str, int]
    character_sets: dict[str, int]
    terminators: dict[str, int]
    attending: int
    attending_npi: int
    forgotten_encounters: int
    forgotten_messages: int
    proposed_file: str = field(repr=False)

    def count(self, severity: Severity) -> int:
        """The number of findings of a severity."""
        return sum(one.severity is severity for one in self.findings)


def report_of(check: FeedCheck) -> FeedReport:
    """The report about the files that were read so far."""
    tally = check.tally
    decided = sum(one.messages for one in tally.decisions.values())
    silent = sum(one.silent.count for one in tally.decisions.values())
    return FeedReport(
        sender=check.name,
        known=check.known is not None,
        environment=check.environment.name,
        files=_filled(FileCounts, tally.files),
        messages=MessageCounts(
            total=tally.messages,
            accepted=tally.accepted,
            rejected=tally.rejected.count,
            dead_letters=tally.dead_letters.count,
            told=decided - silent,
            silent=silent,
            copies=tally.control_ids.same.count,
            acknowledgements=tally.acknowledgements,
        ),
        findings=findings_of(
            tally,
            has_zone=check.profile.zone is not None,
            has_date_order=bool(check.profile.date_order),
            known=check.known is not None,
        ),
        fields=tuple(
            _filled(FieldLine, seen, position=rule.position)
            for rule, seen in tally.fields.with_rules()
        ),
        codes=tuple(_codes(tally.coded)),
        events=tuple(_events(tally)),
        warnings=tuple(_warnings(tally)),
        times=_filled(TimeLines, tally.times),
        message_types=_shown(tally.types),
        origins=_origins(tally.origins),
        versions=_shown(tally.versions),
        processing_ids=_shown(tally.processing_ids),
        character_sets=_shown(tally.character_sets),
        terminators=_shown(tally.terminators),
        attending=tally.attending,
        attending_npi=tally.attending_npi,
        forgotten_encounters=tally.forgotten_encounters,
        forgotten_messages=tally.control_ids.forgotten,
        proposed_file=proposed_file(check.name, check.known, tally),
    )


def _filled(kind: Callable[..., T], tally: object, **others: object) -> T:
    """A part of the report: `others`, and the counts of the tally that have the names of its fields."""
    names = [name for name in signature(kind).parameters if name not in others]
    return kind(**others, **{name: _shown(getattr(tally, name)) for name in names})


def _shown(counted: object) -> Any:
    """A count as a number, a table as a number for each name, the most frequent first."""
    match counted:
        case Occurrences():
            return counted.count
        case OccurrenceTable():
            return {name: seen.count for name, seen in counted.most_frequent()}
        case Counter():
            return dict(counted.most_common())
    return counted


def _codes(coded: CodedFields) -> list[CodeLines]:
    named = (
        ("PV1-2", "patient classes", coded.classes),
        ("PV1-36", "discharge dispositions", coded.dispositions),
        ("PV1-4", "admission types", coded.admission_types),
        ("PID-8", "codes of sex", coded.sexes),
        ("PID-3.4", "assigning authorities", coded.authorities),
        ("PV1-3.4", "facilities", coded.facilities),
        ("PV1-3.1", "units", coded.units),
    )
    return [
        CodeLines(
            position=position,
            name=name,
            standard=_sorted(coded.standard.get(position, {})),
            others=tuple(of.shown()),
            hidden=of.hidden(),
        )
        for position, name, of in named
        if of.count() or coded.standard.get(position)
    ]


def _events(tally: FeedTally) -> list[EventLine]:
    lines = [
        _filled(EventLine, one, trigger_event=trigger) for trigger, one in tally.decisions.items()
    ]
    return sorted(lines, key=lambda one: (-one.messages, one.trigger_event))


def _warnings(tally: FeedTally) -> list[WarningLine]:
    lines = [
        WarningLine(
            code=code,
            position=position,
            text=TEXTS[code].format(position=position or "the message", detail=_detail(seen)),
            messages=seen.messages.count,
        )
        for (code, position), seen in tally.warnings.items()
    ]
    return sorted(lines, key=lambda one: (-one.messages, one.code, one.position))


def _detail(seen: WarningTally) -> str:
    return seen.details[0] if len(seen.details) == 1 else "several"


def _origins(origins: OriginTally) -> dict[str, int]:
    found = {str(pair): messages for pair, messages in origins.shown()}
    hidden = origins.hidden()
    return {**found, **({"not shown": hidden} if hidden else {})}


def _sorted(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
