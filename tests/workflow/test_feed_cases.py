"""Messages as hospital systems send them, through receiver and steps: read right, or said aloud.

The cases are read from `../shared/cases/feeds` beside the checkout. Without that folder the test is
skipped; each kind of fault has tests of its own in tests/unit/hl7 and tests/unit/lambdas/parse_message.
"""

from collections.abc import Iterator

import pytest

from tests.support.feed_cases import FOLDER, Case, cases
from tests.support.feed_system import FeedSystem
from tests.support.registry import seed_registry
from tests.workflow.real import feed_system

CASES = cases()


@pytest.fixture(scope="module")
def system() -> Iterator[FeedSystem]:
    """One deployment for all cases: each case has visit numbers and control ids of its own."""
    with feed_system(FeedSystem) as deployed:
        seed_registry()
        yield deployed


@pytest.mark.skipif(not CASES, reason=f"no cases at {FOLDER}")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_feed_case_is_read_right_or_said_aloud(system: FeedSystem, case: Case) -> None:
    assert case.faults(system.run(case)) == []
