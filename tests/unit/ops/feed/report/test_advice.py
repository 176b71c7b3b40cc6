"""Each reason for which the receiver rejects a message says what to do about it."""

from ops.feed.checking.receiver_rules import ABORTED
from ops.feed.report.advice import REJECTIONS
from receiver.intake import rejections
from receiver.intake.rejections import Rejection

AT_RUN_TIME = {
    one.reason for one in (rejections.NO_ROOM, rejections.UNAVAILABLE, rejections.RECEIVER_FAULT)
}
"""Reasons that lie in the running receiver, not in a message."""


def test_each_reason_of_the_receiver_has_its_advice() -> None:
    reasons = {one.reason for one in vars(rejections).values() if isinstance(one, Rejection)}
    assert set(REJECTIONS) == reasons - AT_RUN_TIME | {ABORTED}


def test_each_advice_asks_or_does_something() -> None:
    assert all(one.ask or one.do for one in REJECTIONS.values())
