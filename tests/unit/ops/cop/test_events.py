"""The outcome of each event, by which a month's shares are counted."""

from typing import Any

import pytest

from ops.cop.events import EventFold, EventOutcome, EventRecord
from ops.events.timeline import WITHDRAWN, Entry

EVENT = "e" * 32


def entry(action: str, second: int = 5, **facts: Any) -> Entry:
    return {
        "event_id": EVENT,
        "action": action,
        "time": f"2026-10-03T10:00:{second:02d}.000Z",
        **facts,
    }


def mail(action: str, second: int = 5, to: str = "k1.a", **facts: Any) -> Entry:
    return entry(action, second, recipient_ref=to, delivery_id=f"d-{to}", **facts)


DECIDED = entry(
    "DECIDED",
    1,
    event_kind="admission",
    event_time="2026-10-03T09:58:00.000Z",
    received_at="2026-10-03T10:00:00.000Z",
)


def record(*entries: Entry) -> EventRecord:
    fold = EventFold()
    for one in (DECIDED, *entries):
        fold.add(one)
    return fold.records()[EVENT]


NOT_OURS = {"recipient_ref": "k1.a", "relationship": "care_team", "reason": "RECIPIENT_OFF"}
POLICY = {**NOT_OURS, "reason": "PART2_NO_CONSENT", "policy_rule": "part2"}


@pytest.mark.parametrize(
    ("entries", "outcome", "reasons"),
    [
        ([], EventOutcome.OPEN, ()),
        ([mail("SENT")], EventOutcome.TOLD, ()),
        ([mail("SENT"), mail("BOUNCED", 9)], EventOutcome.FAILED, ("bounced",)),
        ([mail("SENT"), mail("BOUNCED", 9), mail("SENT", 20, to="k1.b")], EventOutcome.TOLD, ()),
        ([mail("HELD", hold_reason="digest")], EventOutcome.WAITING, ("digest",)),
        (
            [
                mail("HELD", hold_reason="digest"),
                mail("SUPPRESSED", 9, suppressed_because="f" * 32),
            ],
            EventOutcome.SUPPRESSED,
            (WITHDRAWN,),
        ),
        (
            [entry("NO_RECIPIENT", considered=[NOT_OURS])],
            EventOutcome.NO_RECIPIENT,
            ("RECIPIENT_OFF",),
        ),
        (
            [entry("NO_RECIPIENT", considered=[NOT_OURS, POLICY])],
            EventOutcome.SUPPRESSED,
            ("PART2_NO_CONSENT",),
        ),
        ([entry("UNKNOWN_PATIENT")], EventOutcome.NO_RECIPIENT, ("unknown patient",)),
        (
            [entry("FAILED", error_name="IdentityConflictError")],
            EventOutcome.FAILED,
            ("IdentityConflictError",),
        ),
        (
            [entry("FAILED", error_name="IdentityConflictError"), mail("SENT", 50)],
            EventOutcome.TOLD,
            (),
        ),
    ],
)
def test_an_event_has_one_outcome_with_its_reasons(
    entries: list[Entry], outcome: EventOutcome, reasons: tuple[str, ...]
) -> None:
    found = record(*entries)
    assert (found.outcome, found.reasons) == (outcome, reasons)


def test_the_first_mail_that_stayed_gives_the_time_and_the_hold_its_recipient_chose() -> None:
    late = mail("SENT", 40, to="k1.b")
    found = record(mail("HELD", 5, hold_reason="quiet"), mail("SENT", 30), late)
    assert (found.mailed_at[17:19], found.own_hours) == ("30", True)
    assert (found.event_time[11:16], found.received_at[11:16]) == ("09:58", "10:00")
    bounced = record(mail("SENT", 5), mail("BOUNCED", 9), late)
    assert (bounced.mailed_at[17:19], bounced.own_hours) == ("40", False)


def test_a_replayed_event_counts_once_by_its_first_decision() -> None:
    again = {
        **DECIDED,
        "time": "2026-10-09T10:00:00.000Z",
        "received_at": "2026-10-09T10:00:00.000Z",
    }
    assert record(mail("SENT"), again).received_at == "2026-10-03T10:00:00.000Z"


def test_a_message_that_nobody_could_read_is_counted_apart() -> None:
    fold = EventFold()
    fold.add(entry("FAILED", error_name="UnprocessableMessageError"))
    assert fold.records() == {}
    assert fold.undecided() == {EVENT: ("", "UnprocessableMessageError")}
