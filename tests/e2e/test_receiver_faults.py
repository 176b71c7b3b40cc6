"""Acknowledged means stored, whatever happens: `make bench-receiver-faults` in small."""

import asyncio
from pathlib import Path

from bench.receiver.faults import strike


def test_what_got_aa_is_stored_once_though_receivers_are_killed_and_calls_fail(
    tmp_path: Path,
) -> None:
    run, statuses, findings = asyncio.run(
        strike(tmp_path, messages=1000, connections=10, strikes=1, fail_rate=0.1)
    )
    assert findings.accepted == 1000
    assert findings.good, findings.lines()
    assert statuses == [0], "a stopped receiver ends well"
    assert run.sent > 1000, "there were resends"
    assert findings.envelopes > findings.distinct, "and copies on the queue, of which it keeps one"
