"""MSH-12, and HL7 times as ISO 8601."""

from zoneinfo import ZoneInfo

import pytest

from hl7.timestamps import DateOrder, Times
from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.errors import UnprocessableMessageError
from lambdas.parse_message.read_event import read_event
from lambdas.parse_message.values.versions import KNOWN, version_of
from tests.support.messages import sample

HALIFAX = ZoneInfo("America/Halifax")


@pytest.mark.parametrize("version", KNOWN)
def test_a_known_version_is_itself_and_no_warning(version: str) -> None:
    warnings: list[MessageWarning] = []
    assert version_of(version, warnings) == version
    assert warnings == []


@pytest.mark.parametrize(
    ("declared", "read_as"),
    [
        ("2.7.1", "2.7"),
        ("2.9", "2.8.2"),
        ("2.10", "2.8.2"),
        ("2.3.2", "2.3.1"),
        ("2.0", "2.1"),
        ("2", "2.5"),
        ("", "2.5"),
        ("v2.5", "2.5"),
        ("V 2.3", "2.3"),
        ("2.5.1 ", "2.5.1"),
    ],
)
def test_what_senders_write_is_read_as_the_nearest_version_with_a_warning(
    declared: str, read_as: str
) -> None:
    warnings: list[MessageWarning] = []
    assert version_of(declared, warnings) == read_as
    assert len(warnings) == 1


@pytest.mark.parametrize("declared", ["3.0", "1.2", "FHIR", "2.x", "2.5.1.4", "Okafor", "2."])
def test_a_version_that_is_no_hl7_v2_is_refused_without_quoting_it(declared: str) -> None:
    with pytest.raises(UnprocessableMessageError, match=r"^MSH-12 is not a version of HL7 v2$"):
        version_of(declared, [])


@pytest.mark.parametrize(
    ("sent", "iso"),
    [
        ("2026", "2026"),
        ("202611", "2026-11"),
        ("20261123", "2026-11-23"),
        ("2026112309", "2026-11-23T09-04:00"),
        ("202611230915", "2026-11-23T09:15-04:00"),
        ("20261123091502", "2026-11-23T09:15:02-04:00"),
        ("20261123091502.1234+0530", "2026-11-23T09:15:02.1234+05:30"),
        ("20260701091502", "2026-07-01T09:15:02-03:00"),
        ("20261123091502Z", "2026-11-23T09:15:02+00:00"),
        ("", ""),
    ],
)
def test_a_time_keeps_its_precision_and_takes_the_senders_zone(sent: str, iso: str) -> None:
    warnings: list[MessageWarning] = []
    assert Times(HALIFAX, "", warnings).time(sent, "EVN-2") == iso
    assert warnings == []


@pytest.mark.parametrize(
    ("sent", "received", "iso"),
    [
        ("20261101014500", "2026-11-01T04:45:03Z", "2026-11-01T01:45:00-03:00"),
        ("20261101011000", "2026-11-01T05:10:03Z", "2026-11-01T01:10:00-04:00"),
        ("20261101011000", "2026-11-01T05:09:57Z", "2026-11-01T01:10:00-04:00"),
        ("20261101014500", "", "2026-11-01T01:45:00-03:00"),
        ("20260308023000", "2026-03-08T06:30:03Z", "2026-03-08T02:30:00-04:00"),
        ("20261101030000", "2026-11-01T07:00:03Z", "2026-11-01T03:00:00-04:00"),
    ],
    ids=["first pass", "second pass", "fast clock", "not known", "left out in spring", "later"],
)
def test_the_hour_that_summer_time_repeats_is_told_apart_by_the_receipt(
    sent: str, received: str, iso: str
) -> None:
    # Halifax set its clocks back from 02:00 ADT to 01:00 AST, 05:00 UTC (IANA time zone database).
    times = Times(HALIFAX, "", [], received_at=received)
    assert times.time(sent, "EVN-2") == iso


def test_without_a_zone_the_offset_of_msh_7_holds_for_the_message() -> None:
    assert Times(None, "+02:00", []).time("202611230915", "EVN-2") == "2026-11-23T09:15+02:00"


def test_without_any_offset_the_time_stays_as_sent_and_says_so() -> None:
    warnings: list[MessageWarning] = []
    assert Times(None, "", warnings).time("202611230915", "EVN-2") == "2026-11-23T09:15"
    assert warnings == [MessageWarning(WarningCode.NO_OFFSET, "EVN-2")]


@pytest.mark.parametrize(
    "sent", ["20261332", "2026-11-33", "tomorrow", "2026112", "20261123250000", "20261123+9900"]
)
def test_what_is_no_time_is_a_warning_by_position(sent: str) -> None:
    warnings: list[MessageWarning] = []
    assert Times(HALIFAX, "", warnings).time(sent, "PV1-44") == ""
    assert warnings == [MessageWarning(WarningCode.NOT_A_TIME, "PV1-44")]


def test_a_birth_date_is_a_date_whatever_was_sent_with_it() -> None:
    warnings: list[MessageWarning] = []
    times = Times(None, "", warnings)
    assert times.date("19580214000000", "PID-7") == "1958-02-14"
    assert times.date("1958", "PID-7") == "1958"
    assert warnings == []
    assert times.date("19581399", "PID-7") == ""
    assert warnings == [MessageWarning(WarningCode.NOT_A_DATE, "PID-7")]


@pytest.mark.parametrize(
    ("order", "sent", "read"),
    [
        ("", "03/04/1961", ""),
        ("", "04/04/1961", "1961-04-04"),
        ("dmy", "03/04/1961", "1961-04-03"),
        ("mdy", "03/04/1961", "1961-03-04"),
        ("dmy", "3-4-1961 09:15", "1961-04-03"),
        # A number above 12 is a day in either order.
        ("mdy", "25/03/1961", "1961-03-25"),
        ("dmy", "03/25/1961", "1961-03-25"),
        ("dmy", "32/01/1961", ""),
        ("dmy", "1961/03/04", "1961-03-04"),
    ],
)
def test_a_date_that_may_be_read_in_two_ways_is_read_in_the_senders_order_alone(
    order: str, sent: str, read: str
) -> None:
    warnings: list[MessageWarning] = []
    assert Times(None, "", warnings, DateOrder(order)).date(sent, "PID-7") == read
    code = WarningCode.NOT_STANDARD_FORM if read else WarningCode.NOT_A_DATE
    assert warnings == [MessageWarning(code, "PID-7")]


def test_the_senders_order_of_dates_holds_for_the_whole_message() -> None:
    raw = sample("admission").replace(b"|19580214|", b"|03/04/1961|")
    assert read_event(raw, "e").patient.birth_date_unreadable
    event = read_event(raw, "e", date_order=DateOrder.DAY_FIRST)
    assert event.patient.birth_date == "1961-04-03"
