"""DigestAudit: a digest for each day that has ended, chained, written once, in the order of days."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from lambdas.common.audit.context import AuditContext, AuditSettings
from lambdas.common.audit.digests import key_of
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.digest_audit.digesting import MAX_EMPTY_DAYS, RESERVE_SECONDS, write_due
from lambdas.digest_audit.handler import lambda_handler
from tests.support.older_chain import older_items, write
from tests.support.seal_keys import DIGESTS

EVENT, OTHER = "a" * 32, "b" * 32
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def auditing(context: LedgerContext) -> AuditContext:
    return AuditContext(AuditSettings.from_environment(), context.clients)


def plenty() -> float:
    return 900


def test_each_day_since_the_oldest_entry_gets_its_digest_and_each_holds_the_one_before(
    auditing: AuditContext,
) -> None:
    write(auditing, older_items(EVENT, "2026-11-22", "RECEIVED", "PARSED"))
    write(auditing, older_items(OTHER, "2026-11-24", "RECEIVED"))
    days = ["2026-11-22", "2026-11-23", "2026-11-24", "2026-11-25"]
    assert write_due(auditing, NOON, plenty) == days
    digests = [auditing.digests().read(day) for day in days]
    assert [sorted(one.lines) if one else None for one in digests] == [[EVENT], [], [OTHER], []]
    first, second = digests[:2]
    assert first
    assert second
    assert first.lines[EVENT].seq == 2
    assert (first.previous, second.previous) == ("0" * 64, first.sha256)


def test_a_day_is_digested_a_quarter_of_an_hour_after_its_end_and_once(
    auditing: AuditContext,
) -> None:
    midnight = NOON.replace(hour=0)
    assert write_due(auditing, midnight + timedelta(minutes=14), plenty) == ["2026-11-24"]
    assert write_due(auditing, midnight + timedelta(minutes=15), plenty) == ["2026-11-25"]
    assert write_due(auditing, midnight + timedelta(minutes=16), plenty) == []


def test_a_run_without_time_leaves_the_rest_to_the_next_one(auditing: AuditContext) -> None:
    write(auditing, older_items(EVENT, "2026-11-20", "RECEIVED"))
    left = iter((900.0, 900.0, float(RESERVE_SECONDS)))
    assert write_due(auditing, NOON, lambda: next(left)) == ["2026-11-20", "2026-11-21"]
    assert write_due(auditing, NOON, plenty)[0] == "2026-11-22"


def test_an_older_entry_than_a_hundred_empty_days_is_not_searched(auditing: AuditContext) -> None:
    old = (NOON - timedelta(days=MAX_EMPTY_DAYS + 5)).date().isoformat()
    write(auditing, older_items(EVENT, old, "RECEIVED"))
    assert write_due(auditing, NOON, plenty) == ["2026-11-25"]


def test_two_runs_at_the_same_time_write_one_digest(
    auditing: AuditContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_due(auditing, NOON, plenty)
    first = boto3.client("s3").get_object(Bucket=DIGESTS, Key=key_of("2026-11-25"))["Body"].read()
    # The other run listed the bucket before this one wrote.
    monkeypatch.setattr("lambdas.common.audit.digests.DigestBucket.days", lambda _: [])
    assert write_due(auditing, NOON + timedelta(minutes=1), plenty) == []
    again = boto3.client("s3").get_object(Bucket=DIGESTS, Key=key_of("2026-11-25"))["Body"].read()
    assert again == first


def test_the_handler_needs_no_right_to_append_to_the_trail(
    auditing: AuditContext, capsys: pytest.CaptureFixture[str]
) -> None:
    remaining: Any = SimpleNamespace(
        get_remaining_time_in_millis=lambda: 900_000, function_name="DigestAudit"
    )
    result = lambda_handler.with_context(auditing)({}, remaining)
    assert len(result["days"]) == 1
    found = boto3.client("dynamodb").scan(TableName="audit")["Items"]
    assert found == []
