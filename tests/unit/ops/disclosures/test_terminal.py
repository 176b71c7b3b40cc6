"""The account of disclosures as `ens audit patient` prints it."""

import pytest

from ops.disclosures import terminal
from ops.disclosures.audit_search import DisclosureAccount
from ops.disclosures.records import Disclosure, Fate
from ops.output import console
from tests.unit.ops.disclosures.entries import EVENT, OTHER, PATIENT, PROVIDER, SECOND_EVENT


def record(second: int, event_id: str, recipient_ref: str, fate: Fate) -> Disclosure:
    moment = f"2026-03-04T13:12:{second:02d}.000Z"
    return Disclosure(moment, event_id, recipient_ref, fate, event_kind="admission")


def test_events_that_overlap_in_time_are_shown_one_after_the_other_in_utc(
    capsys: pytest.CaptureFixture[str],
) -> None:
    records = [
        record(1, EVENT, OTHER, Fate.NOT_CHOSEN),
        record(2, SECOND_EVENT, PROVIDER, Fate.TOLD),
        record(3, EVENT, PROVIDER, Fate.TOLD),
    ]
    terminal.show(DisclosureAccount((PATIENT,), records, []), {}, console(), by_patient=True)

    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    heads = [line for line in lines if "(ref." in line]
    assert [line[:3] for line in heads] == [
        ["2026-03-04", "13:12:01", "UTC"],
        ["2026-03-04", "13:12:02", "UTC"],
    ]
    assert [line[0] for line in lines[1:3]] == ["not", "told"]
