"""A time that cannot be right is recognised by its receipt and the patient's birth."""

import pytest

from lambdas.common.plausible import is_plausible

RECEIVED_AT = "2026-11-23T12:00:00.000Z"


@pytest.mark.parametrize(
    ("moment", "plausible"),
    [
        ("2026-11-23T08:00:00-04:00", True),
        ("2026-11-23T13:59:00+00:00", True),
        ("2026-11-23T14:01:00+00:00", False),
        # Without an offset it may be the clock of any zone.
        ("2026-11-24T03:59:00", True),
        ("2026-11-24T04:01:00", False),
        ("1970-01-01", False),
        ("2026-11-22", True),
        ("", True),
        ("soon", True),
    ],
)
def test_a_time_in_the_future_or_decades_ago_cannot_be_right(moment: str, plausible: bool) -> None:
    assert is_plausible(moment, RECEIVED_AT) is plausible


def test_a_time_before_the_birth_cannot_be_right() -> None:
    assert not is_plausible("2020-05-01", RECEIVED_AT, "2020-05-02")
    assert is_plausible("2020-05-02", RECEIVED_AT, "2020-05-02T10:00")


def test_without_a_time_of_receipt_every_time_may_be_right() -> None:
    assert is_plausible("2050-01-01", "")
