"""The check says of each feed case whether it is told, as the case itself has it."""

import pytest

from environments import load, load_sender
from ops.feed.checking.check import FeedCheck, new_check
from ops.feed.reading.files import feed_files
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
