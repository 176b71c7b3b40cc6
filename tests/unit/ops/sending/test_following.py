"""The outcome of sent messages: waited for, and told in one line."""

from typing import cast

from ops.events.timeline import RecipientOutcome, RecipientTrace
from ops.events.trail import EventTrail, TrailSource
from ops.sending.following import ending, outcome_line


def trail(status: str, *outcomes: RecipientOutcome, error_name: str = "") -> EventTrail:
    return EventTrail(
        event_id="e" * 32,
        status=status,
        event_kind="ed_discharge" if outcomes else "",
        note="" if outcomes else "bed_move",
        sender="northgen",
        received_at="",
        updated_at="",
        error_name=error_name,
        failed_step="ParseMessage" if error_name else "",
        what_to_do=[],
        steps=[],
        recipients=[RecipientTrace("k1.r", outcome=outcome) for outcome in outcomes],
        execution_arn="",
        console_link="",
        entries=[],
    )


class FoundTrails:
    """The trails that are found one poll after the other; the last one stays."""

    def __init__(self, *found: EventTrail | None) -> None:
        self.found = list(found)
        self.now = 0.0

    def find(self, reference: str) -> list[str]:
        return [reference] if self.found[0] else []

    def event(self, _: str) -> EventTrail | None:
        return self.found[0]

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if len(self.found) > 1:
            self.found.pop(0)

    def ending(self, seconds: float) -> EventTrail | None:
        return ending(
            cast(TrailSource, self), "MSH-10", seconds, clock=lambda: self.now, sleep=self.sleep
        )


def test_an_event_is_waited_for_until_its_workflow_has_ended() -> None:
    found = FoundTrails(None, trail("OPEN"), trail("COMPLETED")).ending(60)
    assert found is not None
    assert found.status == "COMPLETED"


def test_waiting_ends_after_the_seconds_that_were_given() -> None:
    assert FoundTrails(None).ending(3) is None
    still_open = FoundTrails(trail("OPEN")).ending(3)
    assert still_open is not None
    assert "not ended within 3 s" in outcome_line(still_open, 3).plain


def test_the_line_counts_the_mails_by_outcome() -> None:
    sent = trail("COMPLETED", RecipientOutcome.SENT, RecipientOutcome.SENT, RecipientOutcome.HELD)
    said = outcome_line(sent, 60).plain.split()
    assert " ".join(said) == f"COMPLETED ED discharge, 2 sent, 1 held {'e' * 32}"


def test_an_event_that_tells_nobody_gives_its_reason() -> None:
    assert "COMPLETED Bed move" in outcome_line(trail("COMPLETED"), 60).plain


def test_a_failed_event_names_error_and_step() -> None:
    line = outcome_line(trail("FAILED", error_name="UnprocessableMessageError"), 60).plain
    assert "UnprocessableMessageError in ParseMessage" in line


def test_a_message_without_an_event_is_said() -> None:
    assert outcome_line(None, 60).plain.strip() == "no event within 60 s"
