"""`ens report cop`: a hospital's month for a surveyor, from the audit's index by day."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import Result

from lambdas.common.audit import chain
from lambdas.delivery.ledger.context import LedgerContext
from ops.audit.looks import chain_of
from ops.events.long_reads import long_reads
from tests.support.trails import PROVIDER, Story

Ens = Callable[..., Result]
OCTOBER = ("report", "cop", "--month", "2026-10", "--sender", "northgen")
TOLD, UNTOLD, LATE, UNREAD, OTHER = (letter * 32 for letter in "abcde")


def admitted(
    context: LedgerContext, event_id: str, began: datetime, sender: str = "northgen"
) -> Story:
    story = Story(context, event_id, began, sender).run().received()
    return story.step(
        "TrackEncounter",
        "DECIDED",
        event_kind="admission",
        event_time=story.received_at,
        received_at=story.received_at,
    )


@pytest.fixture
def october(context: LedgerContext) -> None:
    """Five messages: one told, one for nobody, one told two days after the month, one unread, one of another sender."""
    third = datetime(2026, 10, 3, 10, tzinfo=UTC)
    sent: dict[str, Any] = {"recipient_ref": PROVIDER, "delivery_id": "d1", "channel": "email"}
    admitted(context, TOLD, third).step("DeliverNotification", "SENT", **sent).completed()
    considered = [
        {"recipient_ref": PROVIDER, "relationship": "care_team", "reason": "RECIPIENT_OFF"}
    ]
    admitted(context, UNTOLD, third).step(
        "LookupIdentities", "NO_RECIPIENT", "no_recipient", considered=considered
    ).completed()
    held = admitted(context, LATE, datetime(2026, 10, 31, 23, tzinfo=UTC))
    held.step("DeliverNotification", "HELD", "held", hold_reason="digest", **sent)
    held.clock = datetime(2026, 11, 3, tzinfo=UTC)
    held.step("DeliverNotification", "SENT", **sent)
    Story(context, UNREAD, third).run().received().failed(
        "UnprocessableMessageError", "ParseMessage"
    )
    admitted(context, OTHER, third, sender="westgen").completed()


def csv_of(result: Result) -> dict[str, dict[str, str]]:
    assert result.exit_code == 0, result.output
    return {row["event_id"]: row for row in csv.DictReader(io.StringIO(result.stdout))}


@pytest.mark.usefixtures("october")
def test_each_event_of_the_sender_has_its_outcome_also_one_told_after_the_month(ens: Ens) -> None:
    rows = csv_of(ens(*OCTOBER, "--format", "csv"))
    assert {key: row["outcome"] for key, row in rows.items()} == {
        TOLD: "told",
        UNTOLD: "without recipient",
        LATE: "told",
    }
    assert rows[UNTOLD]["reasons"] == "RECIPIENT_OFF"
    assert rows[LATE]["mailed_at"].startswith("2026-11-03")


@pytest.mark.usefixtures("october")
def test_the_report_counts_them_and_names_the_unread_message(ens: Ens) -> None:
    said = ens(*OCTOBER).output
    assert "| Admission | (d)(3)(ii) | 3 | 66.6 | 2 | 0 | 0 | 0 | 1 | 0 |" in said
    assert "Not processed: 1 message (UnprocessableMessageError 1)." in said


@pytest.mark.usefixtures("october")
def test_a_reason_leads_to_the_events_that_ens_trace_shows(ens: Ens) -> None:
    result = ens(*OCTOBER, "--list", "recipient_off")
    assert UNTOLD in result.output
    assert TOLD not in result.output
    assert ens("trace", UNTOLD).exit_code == 0


@pytest.mark.usefixtures("october")
def test_the_pdf_is_written_to_a_file_and_the_reading_is_audited(
    context: LedgerContext, ens: Ens, tmp_path: Path
) -> None:
    target = tmp_path / "cop.pdf"
    assert ens(*OCTOBER, "--format", "pdf").exit_code == 2
    today = chain_of(datetime.now(UTC).date().isoformat())
    assert chain.entries(context, today) == [], "nothing was read without a file to write"
    assert ens(*OCTOBER, "--format", "pdf", "--output", str(target)).exit_code == 0
    assert target.read_bytes().startswith(b"%PDF-")
    used = chain.entries(context, today)[-1]
    assert (used["looked_at_id"], used["since"], used["until"]) == (
        "northgen",
        "2026-10-01",
        "2026-10-31",
    )


def test_a_month_without_events_is_a_sentence(ens: Ens) -> None:
    result = ens(*OCTOBER)
    assert (result.exit_code, "no event of the sender `northgen`" in result.output) == (1, True)


@pytest.mark.usefixtures("october")
def test_the_quick_client_gives_the_items_and_pages_of_botocore(context: LedgerContext) -> None:
    """botocore's own parser is the reference."""
    asked = {
        "TableName": "audit",
        "KeyConditionExpression": "event_id = :e",
        "ExpressionAttributeValues": {":e": {"S": UNTOLD}},
        "Limit": 2,
    }
    theirs = boto3.client("dynamodb").get_paginator("query").paginate(**asked)
    ours = long_reads(context).get_paginator("query").paginate(**asked)
    pages = [[page["Items"] for page in found] for found in (theirs, ours)]
    assert pages[0] == pages[1]
    assert len(pages[0]) > 1
