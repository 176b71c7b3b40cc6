"""`ens events --warnings`: the events whose messages departed from the standard, for the interface team."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from click.testing import Result

from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.audit import chain
from lambdas.common.aws.items import Item
from lambdas.delivery.ledger.context import LedgerContext
from ops.deployment import Deployment
from ops.events import warned
from ops.events.trail import TrailSource
from tests.support.trails import Story, told

Ens = Callable[..., Result]
NO_OFFSET = MessageWarning(WarningCode.NO_OFFSET, "EVN-2")
UNKNOWN = MessageWarning(WarningCode.UNKNOWN_CODE, "PV1-4")


def with_warnings(
    context: LedgerContext,
    event_id: str,
    *warnings: MessageWarning,
    sender: str = "northgen",
    minutes_ago: int = 2,
) -> Story:
    began = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    story = Story(context, event_id, began, sender).run().received()
    return story.parsed("admission", *warnings).completed()


def test_events_with_warnings_are_listed_newest_first_with_kind_and_position(
    context: LedgerContext, ens: Ens
) -> None:
    told(context, "a" * 32)
    with_warnings(context, "b" * 32, NO_OFFSET, UNKNOWN, minutes_ago=9)
    with_warnings(context, "c" * 32, NO_OFFSET, minutes_ago=3)
    output = ens("events", "--warnings").output
    assert "a" * 32 not in output
    assert output.index("c" * 32) < output.index("b" * 32)
    for text in ("northgen", "no_offset EVN-2", "unknown_code PV1-4"):
        assert text in output


def test_a_sender_and_a_kind_are_chosen(context: LedgerContext, ens: Ens) -> None:
    with_warnings(context, "b" * 32, NO_OFFSET)
    with_warnings(context, "c" * 32, UNKNOWN, sender="west")
    of_west = json.loads(ens("events", "--warnings", "--sender", "west", "--json").output)
    assert [event["event_id"] for event in of_west] == ["c" * 32]
    of_kind = json.loads(ens("events", "--warnings", "--kind", "no_offset", "--json").output)
    assert [event["event_id"] for event in of_kind] == ["b" * 32]
    assert of_kind[0]["warnings"] == [
        {
            "code": "no_offset",
            "position": "EVN-2",
            "detail": "",
            "text": "EVN-2 has no offset and the sender no time zone",
        }
    ]
    assert "No events with such warnings" in ens("events", "--warnings", "--sender", "no").output


def test_an_event_that_ran_twice_is_listed_once(context: LedgerContext, ens: Ens) -> None:
    story = with_warnings(context, "b" * 32, NO_OFFSET)
    story.run().parsed("admission", NO_OFFSET, UNKNOWN).completed()
    (event,) = json.loads(ens("events", "--warnings", "--json").output)
    assert [warning["code"] for warning in event["warnings"]] == ["no_offset", "unknown_code"]


def test_a_list_reads_no_event_without_warnings(
    context: LedgerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy day has a million events, and the index leads to those with warnings."""
    for number in range(30):
        told(context, f"{number:032x}")
    with_warnings(context, "b" * 32, NO_OFFSET)
    read: list[int] = []
    context.client("dynamodb").meta.events.register(
        "after-call.dynamodb.Query", lambda parsed, **_: read.append(parsed["ScannedCount"])
    )
    found = warned.newest(context, 20)
    assert [event.event_id for event in found.events] == ["b" * 32]
    assert sum(read) == 1


def test_a_long_search_stops_and_says_where(
    context: LedgerContext, ens: Ens, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        with_warnings(context, f"{number:032x}", NO_OFFSET)
    monkeypatch.setattr(warned, "MAX_ENTRIES", 3)
    output = ens("events", "--warnings", "--sender", "west").output
    assert "after 3 entries: name an earlier day with --day" in " ".join(output.split())


def test_options_that_exclude_each_other_are_refused(ens: Ens) -> None:
    assert "exclude each other" in ens("events", "--warnings", "--status", "FAILED").output
    assert "--kind needs --warnings" in ens("events", "--kind", "no_offset").output


def test_the_events_of_a_sender_are_listed(context: LedgerContext, ens: Ens) -> None:
    told(context, "a" * 32)
    with_warnings(context, "b" * 32, NO_OFFSET, sender="west")
    output = ens("events", "--sender", "west").output
    assert "b" * 32 in output
    assert "a" * 32 not in output


def test_a_long_list_is_read_several_events_at_a_time(
    context: LedgerContext, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One read after the other takes a minute for a thousand events, from a laptop."""
    for number in range(2):
        told(context, f"{number:032x}")
    together, read = Barrier(2, timeout=10), chain.entries

    def entries(reading: LedgerContext, event_id: str) -> list[Item]:
        together.wait()
        return read(reading, event_id)

    monkeypatch.setattr(chain, "entries", entries)
    assert len(TrailSource(deployment).recent()) == 2
