"""VerifyAudit: counts the faults of the newest day with a digest, and says in the log where they are."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from lambdas.common.audit.context import AuditContext, AuditSettings
from lambdas.common.audit.digests import due_day
from lambdas.common.audit.whole_table import PARTS, part_of, verify_part
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.digest_audit.digesting import write_due
from lambdas.verify_audit.handler import lambda_handler
from tests.support.older_chain import older_items, write

EVENT = "a" * 32
LAMBDA: Any = SimpleNamespace(
    get_remaining_time_in_millis=lambda: 900_000, function_name="VerifyAudit"
)


@pytest.fixture
def day() -> str:
    """The day that VerifyAudit looks at now."""
    return due_day(datetime.now(UTC))


@pytest.fixture
def auditing(context: LedgerContext) -> AuditContext:
    return AuditContext(AuditSettings.from_environment(), context.clients)


def verified(auditing: AuditContext) -> dict[str, Any]:
    return lambda_handler.with_context(auditing)({}, LAMBDA)


def test_a_day_that_holds_has_no_fault(auditing: AuditContext, day: str) -> None:
    write(auditing, older_items(EVENT, day, "RECEIVED", "PARSED"))
    write_due(auditing, datetime.now(UTC), lambda: 900)
    assert verified(auditing) == {"day": day, "events": 1, "faults": 0}


def test_a_fault_is_counted_and_logged_with_its_event(
    auditing: AuditContext,
    day: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(auditing, older_items(EVENT, day, "RECEIVED", "PARSED"))
    write_due(auditing, datetime.now(UTC), lambda: 900)
    table = boto3.resource("dynamodb").Table("audit")
    table.delete_item(Key={"event_id": EVENT, "sk": "00000002"})
    assert verified(auditing)["faults"] == 1
    (said,) = (record for record in caplog.records if record.levelname == "ERROR")
    assert (said.message, vars(said)["event_id"]) == ("the audit trail is broken", EVENT)
    assert '"AuditFaults":[1.0]' in capsys.readouterr().out


def test_a_day_without_a_digest_is_a_fault(auditing: AuditContext, day: str) -> None:
    assert verified(auditing) == {"day": day, "events": 0, "faults": 1}


def test_an_event_that_no_day_has_is_counted_when_its_part_of_the_table_is_read(
    auditing: AuditContext, day: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The index `by_day` has no item that lacks `outcome_time`."""
    write(auditing, older_items("b" * 32, day, "RECEIVED"))
    write_due(auditing, datetime.now(UTC), lambda: 900)
    forged = older_items(EVENT, day, "RECEIVED", "PARSED")
    write(auditing, [{k: v for k, v in one.items() if k != "outcome_time"} for one in forged])
    days = [(date.fromisoformat(day) + timedelta(days=n)).isoformat() for n in range(PARTS)]
    assert sorted(map(part_of, days)) == list(range(PARTS))
    found = [verify_part(auditing, auditing.digests(), part_of(one)) for one in days]
    assert [one.event_id for part in found for one in part.faulty] == [EVENT]
    with patch("lambdas.verify_audit.handler.part_of", lambda _: _part(auditing)):
        assert verified(auditing)["faults"] == 1
    (said,) = (record for record in caplog.records if record.levelname == "ERROR")
    assert vars(said)["event_id"] == EVENT


def _part(auditing: AuditContext) -> int:
    digests = auditing.digests()
    return next(p for p in range(PARTS) if verify_part(auditing, digests, p).faulty)
