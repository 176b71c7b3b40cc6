"""The reports of hl7apy, which can neither change, nor delay, nor lose a message."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hl7 import er7
from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.errors import UnprocessableMessageError
from lambdas.parse_message import structure
from lambdas.parse_message.read_event import read_event
from tests.support.messages import sample, with_pdf

MSH = "MSH|^~\\&|A|B|||20261123091500-0400||ADT^A01|M1|P|2.5"


def departures(*segments: str, version: str) -> list[MessageWarning]:
    return structure.departures(er7.read("\r".join((MSH, *segments)).encode()), version)


@pytest.mark.parametrize(
    ("segment", "version", "report"),
    [
        ("PID|one||7", "2.5", "PID-1 is not of type SI"),
        ("PV1|1|I|||||7^B^I^^^^^^N", "2.2", "PV1-7 has a component that CN does not define"),
        ("PD1||||1^L^P", "2.7", "PD1-4 is withdrawn in version 2.7"),
        (
            "PID|1||7||||||||||||||||||||||||||||31",
            "2.3",
            "PID has a field that version 2.3 does not",
        ),
        ("PV2|||^chest pain", "2.1", "PV2[1] does not fit version 2.1"),
        ("PV1|1|I||||||||||||||||||||||||many", "2.5", "PV1-26 is not of type NM"),
    ],
)
def test_a_departure_from_the_version_is_reported_by_position(
    segment: str, version: str, report: str
) -> None:
    found = departures("PID|1||7" if segment[:3] != "PID" else segment, segment, version=version)
    assert any(str(warning).startswith(report) for warning in found), found


def test_a_message_that_keeps_to_its_version_has_no_departures() -> None:
    assert departures("PID|1||7^^^N^MR||X^Y||19580214|F", "PV1|1|I|||||1^B^I", version="2.5") == []


def test_a_fault_of_hl7apy_costs_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*arguments: object) -> None:
        raise ValueError("Okafor is not a valid value")

    monkeypatch.setattr(structure, "_fields", fault)
    event = read_event(sample("admission"), "e")
    assert event.visit.visit_number == "V884213"
    assert MessageWarning(WarningCode.NOT_OF_VERSION, "PID[1]", "2.5.1") in event.warnings
    assert "Okafor" not in repr(event.warnings)


@pytest.mark.cpu_bound
@pytest.mark.parametrize(
    "segment",
    [
        "DG1|" + "|" * 3_000,
        "PD1||||" + "^".join(["x"] * 5_000),
        "PV2|||" + "&".join(["x"] * 5_000),
    ],
)
def test_a_sender_cannot_make_the_check_slow(segment: str) -> None:
    started = time.process_time()
    found = departures("PID|1||7", segment, version="2.5")
    assert any(warning.code is WarningCode.TOO_LARGE_TO_CHECK for warning in found)
    assert time.process_time() - started < 0.5


@pytest.mark.cpu_bound
def test_a_300_kb_pdf_is_read_as_fast_as_the_message_around_it() -> None:
    raw = with_pdf(300)
    assert len(raw) > 300 * 1024
    started = time.process_time()
    event = read_event(raw, "e")
    assert time.process_time() - started < 0.5
    assert [n.field for n in event.notes] == ["OBX[1]-5", "OBX[2]-5", "OBX[3]-5", "NTE[1]-3"]


@pytest.mark.cpu_bound
@pytest.mark.parametrize(
    "tail",
    [
        b"OBX|9|TX|||" + b"x" * 500_000 + b"\nmore" * 9_000,
        b"OBX|9|TX|||" + b"\n" * 9_000 + b"!",
        b"OBX|9|TX|||" + b"QUJD" * 200_000 + b"!",
        b"OBX|9|TX|||" + b"\\X" * 200_000,
        b"PV2|||" + b"not a segment\r" * 9_000,
    ],
    ids=["many lines", "empty lines", "almost base64", "almost escapes", "stray lines"],
)
def test_no_shape_of_text_makes_the_reading_slow(tail: bytes) -> None:
    started = time.process_time()
    event = read_event(sample("admission") + tail, "e")
    assert time.process_time() - started < 1
    assert len(event.warnings) < 10


@settings(max_examples=60)
@given(st.binary(max_size=200), st.integers(0, 2_000), st.integers(0, 40))
def test_no_bytes_whatever_crash_the_reading(junk: bytes, at: int, cut: int) -> None:
    raw = sample("admission")
    for bytes_in in (junk, raw[:at] + junk + raw[at + cut :], b"MSH|" + junk + b"\rPID|" + junk):
        try:
            read_event(bytes_in, "e")
        except UnprocessableMessageError as refused:
            assert str(refused)
