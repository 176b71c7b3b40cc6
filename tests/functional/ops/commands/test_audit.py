"""`ens audit verify`: whether anything was removed from the audit or altered."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from click.testing import Result

from lambdas.common.clock import iso
from lambdas.delivery.ledger.context import LedgerContext
from ops import deployment as deployments
from tests.support.trails import Story, poison, told

Ens = Callable[..., Result]
EVENT, OTHER = "a" * 32, "b" * 32


def opened(story: Story, seconds_ago: float) -> None:
    """Dates the story's opening by ParseMessage so long ago."""
    moment = iso(datetime.now(UTC) - timedelta(seconds=seconds_ago))
    boto3.resource("dynamodb").Table("status").update_item(
        Key={"event_id": story.event_id},
        UpdateExpression="SET updated_at = :then",
        ExpressionAttributeValues={":then": moment},
    )


def test_a_whole_chain_holds_and_the_workflows_own_entries_are_counted_apart(
    context: LedgerContext, ens: Ens
) -> None:
    told(context, EVENT)
    result = ens("audit", "verify", EVENT)
    assert result.exit_code == 0
    assert result.output == f"{EVENT}  intact  5 entries, 1 not chained (workflow)\n"


def test_a_verification_that_could_not_be_made_reports_no_damage(
    ens: Ens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1 says that the trail is broken: a script must not read it from an expired sign-in."""

    def fail(*_: object) -> None:
        raise NoCredentialsError

    monkeypatch.setattr(deployments, "_outputs", fail)
    for arguments in ([], [EVENT], ["--whole-table"]):
        assert ens("audit", "verify", *arguments).exit_code == 2


def test_an_altered_and_a_removed_entry_show_by_their_number(
    context: LedgerContext, ens: Ens
) -> None:
    told(context, EVENT)
    told(context, OTHER)
    table = boto3.resource("dynamodb").Table("audit")
    table.update_item(
        Key={"event_id": EVENT, "sk": "00000003"},
        UpdateExpression="SET recipients = :none",
        ExpressionAttributeValues={":none": []},
    )
    table.delete_item(Key={"event_id": OTHER, "sk": "00000005"})
    altered, cut = ens("audit", "verify", EVENT), ens("audit", "verify", OTHER)
    assert (altered.exit_code, cut.exit_code) == (1, 1)
    assert "entry 3 was altered" in altered.output
    assert "the chain ends at entry 4, its head says otherwise" in cut.output


def test_a_forged_entry_cannot_end_the_verifier_or_hide_a_line(
    context: LedgerContext, ens: Ens
) -> None:
    """Its key is rich's markup, a terminal's code and a line end, and it lacks what every entry has."""
    told(context, EVENT)
    told(context, OTHER)
    table = boto3.resource("dynamodb").Table("audit")
    table.put_item(
        Item={
            "event_id": EVENT,
            "sk": "[/x]\x1b[2K\nok",
            "day": datetime.now(UTC).date().isoformat(),
        }
    )
    for found in (ens("audit", "verify", EVENT), ens("audit", "verify")):
        assert found.exit_code == 1
        assert "entry [/x]?[2K?ok is not sealed" in found.output
    assert "2 events" in found.output
    day = datetime.now(UTC).date().isoformat()
    forged = {"event_id": f"x\n{EVENT}  intact", "sk": "y", "day": day, "outcome_time": f"ok#{day}"}
    table.put_item(Item=forged)
    assert f"x?{EVENT}  intact  broken" in ens("audit", "verify").output


def test_a_day_is_verified_as_a_whole_and_a_vanished_event_is_noticed(
    context: LedgerContext, ens: Ens
) -> None:
    poison(context, EVENT)
    opened(Story(context, OTHER).run().received(), seconds_ago=90)
    table = boto3.resource("dynamodb").Table("audit")
    for sk in ("00000001", "HEAD"):
        table.delete_item(Key={"event_id": OTHER, "sk": sk})
    result = ens("audit", "verify")
    assert result.exit_code == 1
    assert f"{OTHER}  broken" in result.output
    assert "it has no audit entries" in result.output
    assert "The audit trail is broken: " in result.output
    assert "2 events, 2 entries, 0 digests checked" in result.output


def test_an_event_without_entries_is_not_broken_while_it_may_be_parsed(
    context: LedgerContext, ens: Ens
) -> None:
    opened(Story(context, EVENT).run(), seconds_ago=30)
    result = ens("audit", "verify")
    assert result.exit_code == 0
    assert "The audit trail holds: " in result.output
    assert "started  no entry yet" in ens("audit", "verify", EVENT).output


def test_a_day_without_events_is_intact(ens: Ens) -> None:
    result = ens("audit", "verify", "--day", "2000-01-01")
    assert result.exit_code == 0
    assert "The audit trail holds: 2000-01-01, 0 events, 0 entries, 0 digests" in result.output


def test_a_day_that_has_not_begun_is_one_sentence(ens: Ens) -> None:
    result = ens("audit", "verify", "--day", "2999-01-01")
    assert (result.exit_code, "has not begun yet" in result.output) == (2, True)


def test_an_unknown_event_is_one_sentence(ens: Ens) -> None:
    result = ens("audit", "verify", "nobody")
    assert (result.exit_code, "dev has no event nobody." in result.output) == (1, True)


def test_an_event_that_no_day_has_is_found_by_reading_the_whole_table(
    context: LedgerContext, ens: Ens
) -> None:
    told(context, EVENT)
    day = datetime.now(UTC).date().isoformat()
    found = ens("audit", "verify", "--whole-table")
    assert found.exit_code == 0
    assert f"Each entry has a day: {day} to {day}, 1 event, 6 entries read" in found.output
    forged = {"event_id": OTHER, "sk": "00000001", "patient_ref": "k1.x", "time": f"{day}T00:00"}
    boto3.resource("dynamodb").Table("audit").put_item(Item=forged)
    assert ens("audit", "verify").exit_code == 0
    found = ens("audit", "verify", "--whole-table")
    assert found.exit_code == 1
    assert "entry 00000001 has no day" in found.output
    assert "Items belong to no day" in found.output
    assert ens("audit", "verify", EVENT, "--whole-table").exit_code == 2
