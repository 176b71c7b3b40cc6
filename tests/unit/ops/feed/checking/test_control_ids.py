"""Copies are found among a bounded number of control ids, and the forgotten ones are counted."""

from pathlib import Path

from environments import load
from hl7.header import find_header
from hl7.identity import event_id
from ops.feed.checking.check import new_check
from ops.feed.checking.control_ids import ControlIdTally
from ops.feed.checking.places import Place
from ops.feed.reading.files import feed_files
from ops.feed.report.report import report_of
from ops.feed.report.sections import summary
from tests.support.feeds import week


def is_copy(tally: ControlIdTally, control_id: str, patient: str = "H1") -> bool:
    header = find_header(
        f"MSH|^~\\&|ADT|WEST|||20261126||ADT^A01|{control_id}|P|2.5.1\rPID|||{patient}\r".encode()
    )
    assert header is not None
    return tally.is_copy(header, event_id(header, "west"), Place(1, 1))


def test_a_copy_of_a_remembered_message_is_found_and_one_of_a_forgotten_message_is_not() -> None:
    tally = ControlIdTally(maximum=2)
    assert [is_copy(tally, one) for one in ("A", "B", "A", "C")] == [False, False, True, False]
    assert tally.forgotten == 1
    assert not is_copy(tally, "B")
    assert (tally.same.count, tally.other.count, tally.forgotten) == (1, 0, 2)


def test_of_one_control_id_the_four_newest_messages_are_remembered() -> None:
    tally = ControlIdTally()
    assert not any(is_copy(tally, "A", f"H{number}") for number in range(5))
    assert tally.forgotten == 1
    assert is_copy(tally, "A", "H1")
    assert not is_copy(tally, "A", "H0")


def test_the_report_says_how_many_messages_were_forgotten(tmp_path: Path) -> None:
    for number, one in enumerate(week(20)):
        (tmp_path / f"{number}.hl7").write_bytes(one)
    check = new_check(load("local"), "west", None)
    check.tally.control_ids = ControlIdTally(maximum=5)
    for file in feed_files((tmp_path,)):
        check.read(file)
    report = report_of(check)
    assert report.forgotten_messages == 15
    assert any(line.startswith("15 messages ") for line in summary(report))
