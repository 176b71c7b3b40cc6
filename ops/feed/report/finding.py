"""One finding of a feed: its severity, what was seen, what follows, and who does what about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ops.feed.checking.places import Occurrences, Place


class Severity(StrEnum):
    """`ERROR`: messages are lost or told wrongly. `WARNING`: something is left out. `INFO`: good to know."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingText:
    """The severity and the texts of a kind of finding, as in `FeedFinding`."""

    severity: Severity
    subject: str = ""
    what: str = ""
    consequence: str = ""
    ask: str = ""
    do: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFinding:
    """A finding about `messages` of `of` messages.

    `subject` is a field position or a part of the feed. `ask` is for the hospital's interface team, `do`
    for the people who run hl7-ens. It holds no value of a patient.
    """

    severity: Severity
    subject: str
    what: str
    messages: int
    of: int
    consequence: str = ""
    ask: str = ""
    do: str = ""
    examples: tuple[Place, ...] = ()

    @property
    def share(self) -> str:
        """The messages as `340 of 10,000 (3.4%)`; "" for a finding that something never came."""
        if not self.messages:
            return ""
        return f"{self.messages:,} of {self.of:,} ({percent(self.messages, self.of)})"


def finding(
    text: FindingText, seen: Occurrences, of: int, **values: object
) -> Iterator[FeedFinding]:
    """Yields a finding about the messages of an occurrence, and nothing where it never occurred.

    `values` are the parts in braces of its texts.
    """
    if seen.count:
        yield FeedFinding(
            severity=text.severity,
            subject=text.subject,
            what=text.what.format(**values),
            messages=seen.count,
            of=of,
            consequence=text.consequence,
            ask=text.ask,
            do=text.do,
            examples=seen.places,
        )


def by_importance(findings: list[FeedFinding]) -> tuple[FeedFinding, ...]:
    """The findings sorted: errors first, and of one severity the most frequent first."""
    order = list(Severity)

    def key(one: FeedFinding) -> tuple[int, float, str]:
        return order.index(one.severity), -one.messages / max(one.of, 1), one.subject

    return tuple(sorted(findings, key=key))


def percent(part: int, whole: int) -> str:
    """A share: `3.4%`; `<0.1%` for a small one that is not nothing."""
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.1:
        return "<0.1%"
    if 99.9 < share < 100:
        return ">99.9%"
    return f"{share:.1f}%".replace(".0%", "%")
