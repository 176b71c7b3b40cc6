"""The status item of an event."""

from typing import Any

import pytest

from lambdas.common import status
from lambdas.common.contracts.status import EventStatus
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.keys import reference_keys

EVENT = "5e" * 16


def open_event(execution: str = "arn:1", received_at: str = "2026-11-23T09:15:02.113Z") -> None:
    status.open_event(EVENT, received_at, execution, "northgen")


def test_an_event_that_was_never_seen_has_no_status(aws: Any) -> None:
    assert status.read(EVENT) is None


def test_an_event_that_runs_again_keeps_when_it_was_first_received(aws: Any) -> None:
    open_event()
    aws.client("dynamodb").update_item(
        TableName="status",
        Key={"event_id": {"S": EVENT}},
        UpdateExpression="SET #s = :f, error_name = :e, failed_step = :p",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":f": {"S": "FAILED"}, ":e": {"S": "X"}, ":p": {"S": "Y"}},
    )
    open_event("arn:2", "2026-11-24T00:00:00.000Z")

    item = status.read(EVENT)
    assert item is not None
    assert (item.status, item.execution_arn) == (EventStatus.OPEN, "arn:2")
    assert (item.received_at, item.day) == ("2026-11-23T09:15:02.113Z", "2026-11-23")
    assert (item.error_name, item.failed_step) == ("", "")


def test_a_secret_that_cannot_be_read_now_is_a_dependency(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import ReadTimeoutError

    from lambdas.common.aws.clients import client

    def silent(**arguments: Any) -> None:
        raise ReadTimeoutError(endpoint_url="x")

    with monkeypatch.context() as outage:
        outage.setattr(client("secretsmanager"), "get_secret_value", silent)
        with pytest.raises(DependencyUnavailableError, match="secretsmanager"):
            reference_keys()
    assert reference_keys().current == "k1"
