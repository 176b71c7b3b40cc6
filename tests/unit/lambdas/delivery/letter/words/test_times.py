"""Times and ages in words."""

from zoneinfo import ZoneInfo

import pytest

from lambdas.delivery.letter.words.locale import words_in
from lambdas.delivery.letter.words.times import age, in_words

HALIFAX = ZoneInfo("America/Halifax")


@pytest.mark.parametrize(
    ("moment", "zone", "words"),
    [
        ("2026-11-23T13:12:00+00:00", HALIFAX, "23 November 2026, 09:12 (America/Halifax time)"),
        ("2026-07-01T02:30Z", HALIFAX, "30 June 2026, 23:30 (America/Halifax time)"),
        ("2026-11-23T09:12:00", HALIFAX, "23 November 2026, 09:12 (America/Halifax time)"),
        ("2026-11-23T09:12:00.250-0400", None, "23 November 2026, 09:12 (UTC-0400)"),
        ("2026-11-23T13:12:00Z", None, "23 November 2026, 13:12 (UTC)"),
        ("2026-11-23T09:12", None, "23 November 2026, 09:12 (local time of the institution)"),
        ("2026-11-23T09", None, "23 November 2026, 09 h (local time of the institution)"),
        ("2026-11-23T09-04:00", HALIFAX, "23 November 2026, 09 h (America/Halifax time)"),
        ("2026-11-23T02+00:00", HALIFAX, "22 November 2026, 22 h (America/Halifax time)"),
        (
            "2026-11-01T04:15Z",
            HALIFAX,
            "1 November 2026, 01:15 (America/Halifax time, UTC-03:00)",
        ),
        (
            "2026-11-01T01:15-04:00",
            HALIFAX,
            "1 November 2026, 01:15 (America/Halifax time, UTC-04:00)",
        ),
        ("2026-11-01T06:00Z", HALIFAX, "1 November 2026, 02:00 (America/Halifax time)"),
        ("2026-11-23", HALIFAX, "23 November 2026"),
        ("2026-11", None, "November 2026"),
        ("2026", None, "2026"),
        ("", None, ""),
        ("2026-13-40", None, "2026-13-40"),
        ("2026-02-30T25:61:00", None, "2026-02-30T25:61:00"),
        ("0000-01-01", None, "0000-01-01"),
        ("0001-01-01T00:00:00Z", HALIFAX, "0001-01-01T00:00:00Z"),
        ("yesterday", None, "yesterday"),
    ],
)
def test_a_moment_is_told_as_precisely_as_it_was_sent(
    moment: str, zone: ZoneInfo | None, words: str
) -> None:
    assert in_words(moment, zone, words_in("en")) == words


@pytest.mark.parametrize(
    ("born", "at", "years"),
    [
        ("1958-02-14", "2026-11-23T09:12:00", "68 years"),
        ("1958-11-24", "2026-11-23", "67 years"),
        ("2025-10-23", "2026-11-23", "13 months"),
        ("2026-11-22", "2026-11-23", "1 day"),
        ("2026-11-23", "2026-11-23", "0 days"),
        ("2027-01-01", "2026-11-23", ""),
        ("1958", "2026-11-23", ""),
        ("1958-02-14", "", ""),
        ("1700-01-01", "2026-11-23", ""),
    ],
)
def test_an_age_is_told_where_both_days_are_known(born: str, at: str, years: str) -> None:
    assert age(born, at, words_in("en")) == years


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-11-23T13:12:00Z", "23 novembre 2026, 9\u00a0h\u00a012 (fuseau America/Halifax)"),
        ("2026-12-01", "1er décembre 2026"),
        ("2026-08", "août 2026"),
    ],
)
def test_a_moment_is_told_in_french(moment: str, shown: str) -> None:
    assert in_words(moment, HALIFAX, words_in("fr-CA")) == shown


def test_an_age_is_told_in_french() -> None:
    assert age("1958-02-14", "2026-11-23", words_in("fr-CA")) == "68 ans"
    assert age("2026-11-22", "2026-11-23", words_in("fr-CA")) == "1 jour"
