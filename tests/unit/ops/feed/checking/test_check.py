"""The check says of each feed case whether it is told, as the case itself has it."""

from dataclasses import replace
from pathlib import Path

import pytest

from environments import load, load_sender
from ops.feed.checking.check import FeedCheck, new_check
from ops.feed.reading.files import feed_files
from ops.feed.report.findings_of_counts import findings_of
from tests.support.feed_cases import FOLDER, Case, cases

STATED = [case for case in cases() if "mails" in case.expect and "any" not in case.expect]


def told(check: FeedCheck) -> int:
    return sum(one.messages - one.silent.count for one in check.tally.decisions.values())


@pytest.mark.skipif(not STATED, reason=f"no cases in {FOLDER}")
@pytest.mark.parametrize("case", STATED, ids=lambda case: case.name)
def test_a_case_is_told_by_the_check_as_it_is_by_the_system(case: Case) -> None:
    check = new_check(load("local"), "northgen", load_sender("northgen", "local"))
    found = []
    for file in feed_files(tuple(case.files)):
        before = told(check)
        check.read(file)
        found.append(told(check) > before)
    mails = case.expect["mails"]
    expected = mails if isinstance(mails, list) else [mails]
    assert found[-len(expected) :] == [count != 0 for count in expected]


def test_messages_about_test_patients_are_counted_as_the_senders_file_names_them(
    tmp_path: Path,
) -> None:
    known = load_sender("northgen", "local")
    assert known is not None
    sender = replace(known, test_patient_identifiers=("T9",))
    for number, (identifier, name) in enumerate(
        [("H1", "ZZTEST^Ana"), ("T900", "Okonjo^Amaka"), ("H2", "Rehak^Tomas")]
    ):
        (tmp_path / f"{number}.hl7").write_text(
            f"MSH|^~\\&|{sender.sending_application}|{sender.sending_facility}|NOTIFY|HUB|"
            f"20261126101500-0400||ADT^A01^ADT_A01|M{number}|P|2.5.1\r"
            f"EVN|A01|20261126101500-0400\rPID|1||{identifier}^^^NORTHGEN^MR||{name}\r"
            f"PV1|1|I|4W^1^A^NORTHGEN\r"
        )
    check = new_check(load("local"), "northgen", sender)
    for file in feed_files((tmp_path,)):
        check.read(file)
    assert check.tally.test_patients.count == 2
    found = [one for one in findings_of(check.tally, known=True) if "test patient" in one.what]
    assert len(found) == 1
