"""A thousand notifications at once, in virtual time: who is told, when, and with which findings."""

import pytest

from bench.burst.__main__ import SCENARIOS, measured

BY_NAME = {s.name: s for s in SCENARIOS}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["over a minute", "all in one second"])
def test_of_a_thousand_notifications_fewer_than_one_percent_go_out_without_findings(
    name: str, environment: dict[str, str]
) -> None:
    found = measured(BY_NAME[name])
    assert found.lost < 0.01
    assert found.p99 < 60
    assert found.throttled < 50, "the service hardly throttles: events keep to its quota"
