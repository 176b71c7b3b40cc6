"""Computes values for the console's templates: bars of the timeline and times."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup, escape

from ops.events.timeline import Step

SCALE = 1000
SLIVER = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """A step with the position of its bar, in thousandths of its run's duration.

    `width` is 0 where nothing was measured; `opens_run` marks the first step of a run.
    """

    step: Step
    left: int = 0
    width: int = 0
    opens_run: bool = False


def bars(steps: Sequence[Step]) -> list[Bar]:
    """Returns the steps with their bars. Each run has its own scale, because runs may be hours apart."""
    spans = {
        run: _span([s for s in steps if s.run == run]) for run in {s.run for s in steps if s.run}
    }
    opened: set[int] = set()
    drawn = []
    for step in steps:
        first = bool(step.run) and step.run not in opened
        opened.add(step.run)
        drawn.append(_bar(step, spans[step.run], first) if step.run else Bar(step))
    return drawn


def _span(steps: Sequence[Step]) -> tuple[int, int]:
    """The start and the duration of a run, in milliseconds."""
    start = min(step.offset_ms for step in steps)
    return start, max(1, max(step.offset_ms + (step.duration_ms or 0) for step in steps) - start)


def _bar(step: Step, span: tuple[int, int], first: bool) -> Bar:
    start, length = span
    left = min(SCALE - SLIVER, (step.offset_ms - start) * SCALE // length)
    width = min(SCALE - left, max(SLIVER, (step.duration_ms or 0) * SCALE // length))
    return Bar(step, left, width, first)


def when(moment: str) -> Markup:
    """Returns an ISO 8601 time as a `<time>` element in UTC, "" for ""."""
    if not moment:
        return Markup("")
    parsed = datetime.fromisoformat(moment).astimezone(UTC)
    shown = parsed.strftime("%d %b %H:%M:%S")
    return Markup('<time datetime="{}">{}</time>').format(parsed.isoformat(), shown)


def code_spans(text: str) -> Markup:
    """Returns a sentence as HTML with its `commands` as code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if position % 2 else escape(part)
        for position, part in enumerate(parts)
    )
