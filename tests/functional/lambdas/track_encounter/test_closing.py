"""The clock closes stays whose end never came: told to nobody, counted, and audited."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.common.audit import chain
from lambdas.common.contracts.encounters.encounter import Encounter
from lambdas.encounters.context import EncountersContext, EncountersSettings
from lambdas.encounters.indexes import due, settle_due
from lambdas.encounters.store import Due, DueReason
from lambdas.encounters.table import EncounterTable
from lambdas.track_encounter import closing
from lambdas.track_encounter.handler import lambda_handler
from lambdas.track_encounter.message import EncounterMessage
from lambdas.track_encounter.profile import EncounterProfile
from lambdas.track_encounter.tracking import track
from tests.support.encounters import MORNING, E, I, message
from tests.support.lambda_context import LambdaContext

NOW = datetime.now(UTC)
PROFILE = EncounterProfile(name="NORTHGEN")
KEY = "visit#k1.v1"


def days_ago(days: float) -> int:
    """The minutes of a message that was sent so many days ago."""
    return round((NOW - timedelta(days=days) - MORNING).total_seconds() / 60)


@pytest.fixture
def context(aws: Any) -> EncountersContext:
    """The context of TrackEncounter with moto's clients."""
    return EncountersContext(EncountersSettings.from_environment())


def tracked(context: EncountersContext, *messages: EncounterMessage) -> None:
    for one in messages:
        track(EncounterTable(context), one, PROFILE, lambda: NOW)


def called_by_the_clock(context: EncountersContext) -> dict[str, Any]:
    result: dict[str, Any] = lambda_handler.with_context(context)(
        {}, LambdaContext("TrackEncounter")
    )
    return result


def encounter(context: EncountersContext) -> Encounter:
    return EncounterTable(context).read("", [KEY]).encounters[KEY].encounter


def test_an_emergency_visit_without_an_end_is_closed_after_five_days(
    context: EncountersContext, capsys: pytest.CaptureFixture[str]
) -> None:
    tracked(context, message("A04", days_ago(5.1), E))
    assert called_by_the_clock(context) == {"closed": 1}
    assert encounter(context).closed_at
    assert called_by_the_clock(context) == {"closed": 0}
    (entry,) = chain.entries(context, encounter(context).encounter_id)
    assert (entry["action"], entry["sender"]) == ("STAY_CLOSED", "NORTHGEN")
    assert '"StaysClosed":[1.0]' in capsys.readouterr().out


def test_a_stay_that_may_go_on_stays_open(context: EncountersContext) -> None:
    tracked(context, message("A01", days_ago(5.1), I))
    assert called_by_the_clock(context) == {"closed": 0}
    assert not encounter(context).closed_at


def test_a_discharge_that_comes_after_the_closing_is_told(context: EncountersContext) -> None:
    tracked(context, message("A04", days_ago(5.1), E))
    called_by_the_clock(context)
    late = message("A03", days_ago(0.1), E)
    decision = track(EncounterTable(context), late, PROFILE, lambda: NOW)
    assert [notice.kind for notice in decision.notices] == ["ed_discharge"]


def test_a_stay_whose_sender_waits_longer_now_gets_another_moment(
    context: EncountersContext,
) -> None:
    tracked(context, message("A01", days_ago(10), I))
    stored = EncounterTable(context).read("", [KEY]).encounters[KEY]
    settle_due(context, stored, "", Due(why=DueReason.OPEN, at="2026-01-01T00:00:00.000Z"))
    called_by_the_clock(context)
    assert list(due(context, DueReason.OPEN, "2026-02")) == []
    assert list(due(context, DueReason.OPEN, "9999")) == [KEY]


def test_an_event_that_comes_at_the_same_time_is_not_lost(context: EncountersContext) -> None:
    tracked(context, message("A04", days_ago(5.1), E))
    before = EncounterTable(context).read("", [KEY]).encounters[KEY]
    tracked(context, message("A03", days_ago(0.1), E))
    assert not settle_due(context, before, "2026-11-26T12:00:00.000Z", None)
    assert len(encounter(context).events) == 2


def test_a_backlog_of_closings_is_worked_off_in_several_calls(
    context: EncountersContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "CLOSINGS_PER_CALL", 2)
    tracked(context, *(message("A04", days_ago(6), E, f"e{n}", visit=f"v{n}") for n in range(3)))
    assert [called_by_the_clock(context)["closed"] for _ in range(3)] == [2, 1, 0]
