"""Waits for the events of sent messages to end, and describes the outcome of each in one line."""

import time
from collections import Counter
from collections.abc import Callable

from rich.text import Text

from lambdas.common.contracts.workflow.status import EventStatus
from ops.events.trail import EventTrail, TrailSource
from ops.output import STATUS_STYLES, sentence_case, words

ENDED = (EventStatus.COMPLETED, EventStatus.FAILED)
POLL_SECONDS = 0.5


def ending(
    trails: TrailSource,
    control_id: str,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> EventTrail | None:
    """Returns the trail of the newest event with this MSH-10 once it has ended, or after `seconds`.

    None when no event has begun by then.
    """
    deadline = clock() + seconds
    while True:
        found = trails.find(control_id)
        trail = trails.event(found[0]) if found else None
        if (trail and trail.status in ENDED) or clock() >= deadline:
            return trail
        sleep(POLL_SECONDS)


def outcome_line(trail: EventTrail | None, seconds: float) -> Text:
    """The outcome of an event: its status, kind or reason, and the number of mails by outcome."""
    line = Text("     ")
    if trail is None:
        return line.append(f"no event within {seconds:g} s", style="yellow")
    status = trail.status or EventStatus.OPEN
    line.append(f"{status:10}", style=STATUS_STYLES.get(status, "yellow"))
    line.append(sentence_case(words(trail.event_kind or trail.note) or "event"))
    told = Counter(str(one.outcome) or "not tried" for one in trail.recipients)
    line.append("".join(f", {number} {outcome}" for outcome, number in told.items()))
    if trail.error_name:
        line.append(f"  {trail.error_name} in {trail.failed_step}", style="bold red")
    if status not in ENDED:
        line.append(f"  not ended within {seconds:g} s", style="yellow")
    return line.append(f"  {trail.event_id}", style="dim")
