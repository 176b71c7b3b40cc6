"""The times at which a recipient wants to be told, in the recipient's own time zone."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lambdas.delivery.decisions.holds import hold_again, hold_for
from tests.functional.lambdas.deliver_notification.world import RECIPIENT

HALIFAX = replace(RECIPIENT, time_zone="America/Halifax")
DIGEST = replace(HALIFAX, digest_at="07:00")
NIGHT = replace(HALIFAX, quiet="22:00-07:00")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_quiet_hours_hold_until_they_end() -> None:
    assert hold_for(NIGHT, at("2026-11-24T03:30")) == ("quiet", "2026-11-24T11:00:00.000Z")
    assert hold_for(NIGHT, at("2026-11-24T10:59")) == ("quiet", "2026-11-24T11:00:00.000Z")


@pytest.mark.parametrize("moment", ["2026-11-24T11:00", "2026-11-24T15:30", "2026-11-25T01:59"])
def test_outside_of_quiet_hours_a_notification_goes_at_once(moment: str) -> None:
    assert hold_for(NIGHT, at(moment)) == ("", "")


def test_a_summary_waits_for_its_hour_and_then_for_the_next_day() -> None:
    assert hold_for(DIGEST, at("2026-11-24T03:30")) == ("digest", "2026-11-24T11:00:00.000Z")
    assert hold_for(DIGEST, at("2026-11-24T11:00")) == ("digest", "2026-11-25T11:00:00.000Z")


@pytest.mark.parametrize("reason", ["settle", "fallback", "own_mail", "switched_off"])
def test_a_delivery_that_is_due_waits_for_the_hours_that_it_has_not_waited_for(reason: str) -> None:
    three_at_night, morning = at("2026-11-24T07:00"), "2026-11-24T11:00:00.000Z"
    assert hold_again(NIGHT, reason, three_at_night) == ("quiet", morning)
    assert hold_again(DIGEST, reason, three_at_night) == ("digest", morning)
    assert hold_again(NIGHT, reason, at("2026-11-24T15:30")) == ("", "")


@pytest.mark.parametrize("reason", ["rate", "quota"])
def test_a_limit_of_ses_sends_no_mail_at_night_and_a_summary_once(reason: str) -> None:
    three_at_night = at("2026-11-24T07:00")
    assert hold_again(NIGHT, reason, three_at_night)[0] == "quiet"
    assert hold_again(DIGEST, reason, three_at_night) == ("", "")


@pytest.mark.parametrize("reason", ["digest", "quiet", "resend"])
def test_own_hours_hold_once_and_no_resend_of_an_operator(reason: str) -> None:
    three_at_night = at("2026-11-24T07:00")
    assert hold_again(NIGHT, reason, three_at_night) == ("", "")
    assert hold_again(DIGEST, reason, three_at_night) == ("", "")


def test_a_choice_that_cannot_be_read_holds_nothing() -> None:
    unreadable = replace(HALIFAX, quiet="nonsense", digest_at="25:99")
    assert hold_for(unreadable, at("2026-11-24T03:30")) == ("", "")


def test_the_hour_is_the_walls_before_and_after_the_clock_is_moved() -> None:
    before_spring, after_spring = at("2026-03-07T12:00"), at("2026-03-08T12:00")
    assert hold_for(DIGEST, before_spring)[1] == "2026-03-08T10:00:00.000Z"
    assert hold_for(DIGEST, after_spring)[1] == "2026-03-09T10:00:00.000Z"
    assert hold_for(DIGEST, at("2026-10-31T12:00"))[1] == "2026-11-01T11:00:00.000Z"


def test_an_hour_that_the_spring_skips_comes_as_if_the_clock_had_not_been_moved() -> None:
    skipped = replace(HALIFAX, digest_at="02:30")
    assert hold_for(skipped, at("2026-03-08T05:00"))[1] == "2026-03-08T06:30:00.000Z"


def test_quiet_hours_that_end_in_an_hour_that_comes_twice_end_after_now() -> None:
    until_half_past_one = replace(HALIFAX, quiet="22:00-01:30")
    first, second = at("2026-11-01T04:15"), at("2026-11-01T05:15")  # both are 01:15 in Halifax
    assert hold_for(until_half_past_one, first)[1] == "2026-11-01T04:30:00.000Z"
    assert hold_for(until_half_past_one, second)[1] == "2026-11-01T05:30:00.000Z"
