"""The status item of an event."""

from typing import Any

import pytest

from lambdas.common import status
from lambdas.common.contracts.workflow.status import EventStatus
from lambdas.common.errors import DependencyUnavailableError
from lambdas.delivery.ledger.context import LedgerContext

EVENT = "5e" * 16


def open_event(
    context: LedgerContext, execution: str = "arn:1", received_at: str = "2026-11-23T09:15:02.113Z"
) -> None:
    status.open_event(context, EVENT, received_at, execution, "northgen")


def test_an_event_that_was_never_seen_has_no_status(context: LedgerContext, aws: Any) -> None:
    assert status.read(context, EVENT) is None


def test_an_event_that_runs_again_keeps_when_it_was_first_received(
    context: LedgerContext, aws: Any
) -> None:
    open_event(context)
    aws.client("dynamodb").update_item(
        TableName="status",
        Key={"event_id": {"S": EVENT}},
        UpdateExpression="SET #s = :f, error_name = :e, failed_step = :p",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":f": {"S": "FAILED"}, ":e": {"S": "X"}, ":p": {"S": "Y"}},
    )
    open_event(context, "arn:2", "2026-11-24T00:00:00.000Z")

    item = status.read(context, EVENT)
    assert item is not None
    assert (item.status, item.execution_arn) == (EventStatus.OPEN, "arn:2")
    assert (item.received_at, item.day) == ("2026-11-23T09:15:02.113Z", "2026-11-23")
    assert (item.error_name, item.failed_step) == ("", "")


def test_a_secret_that_cannot_be_read_now_is_a_dependency(
    context: LedgerContext, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import ReadTimeoutError

    def silent(**arguments: Any) -> None:
        raise ReadTimeoutError(endpoint_url="x")

    with monkeypatch.context() as outage:
        outage.setattr(context.client("secretsmanager"), "get_secret_value", silent)
        with pytest.raises(DependencyUnavailableError, match="secretsmanager"):
            _ = context.reference_keys
    assert context.reference_keys.current == "k1"
