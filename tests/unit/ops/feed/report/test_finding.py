"""Findings in the order in which an interface team should read them."""

import pytest

from ops.feed.report.finding import FeedFinding, Severity, by_importance, percent


def found(severity: Severity, subject: str, messages: int) -> FeedFinding:
    return FeedFinding(severity=severity, subject=subject, what="", messages=messages, of=100)


def test_errors_come_first_and_then_the_most_frequent() -> None:
    rare = found(Severity.ERROR, "PID-3", 1)
    often = found(Severity.ERROR, "PV1-2", 50)
    warning = found(Severity.WARNING, "PV1-7", 99)
    info = found(Severity.INFO, "PD1-4", 100)
    assert by_importance([info, rare, warning, often]) == (often, rare, warning, info)


@pytest.mark.parametrize(
    ("part", "whole", "read"),
    [
        (0, 0, "0%"),
        (0, 10, "0%"),
        (1, 10_000, "<0.1%"),
        (34, 1000, "3.4%"),
        (9_999, 10_000, ">99.9%"),
        (10, 10, "100%"),
    ],
)
def test_a_share_is_never_rounded_to_nothing_or_all(part: int, whole: int, read: str) -> None:
    assert percent(part, whole) == read
