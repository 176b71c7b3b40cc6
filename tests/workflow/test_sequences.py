"""Sequences of messages about one stay, through the whole workflow: each provider gets what it should.

The sequences are read from `../shared/cases/encounters` beside the checkout. Without that folder the test
is skipped; each kind of fault has tests of its own in tests/unit and tests/functional.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.sequences import FOLDER, Sequence, SequenceSystem, sequences
from tests.workflow.real import feed_system

STMARY = {
    "name": "stmary",
    "sending_application": "MEDHOST",
    "sending_facility": "STMARY",
    "default_assigning_authority": "STMARY",
    "time_zone": "America/Toronto",
    "display_name": "St Mary Hospital",
}
"""The second sender of the sequences; NORTHGEN is the local system's own."""

SEQUENCES = sequences()


@pytest.fixture(scope="module")
def system() -> Iterator[SequenceSystem]:
    """One deployment for all sequences: each has people, providers and numbers of its own."""

    def two_hospitals(document: dict[str, Any]) -> None:
        for sender in document["senders"]:
            # Old events of the sequences are too old, unlike the sample messages.
            sender.get("encounters", {}).pop("stale_after_days", None)
        document["senders"].append(STMARY)

    with feed_system(SequenceSystem, two_hospitals) as deployed:
        yield deployed


@pytest.mark.skipif(not SEQUENCES, reason=f"no sequences at {FOLDER}")
@pytest.mark.parametrize("sequence", SEQUENCES, ids=lambda sequence: sequence.name)
def test_a_sequence_tells_each_provider_what_it_should(
    system: SequenceSystem, sequence: Sequence, tmp_path: Path
) -> None:
    assert sequence.faults(system.play(sequence, tmp_path)) == []
