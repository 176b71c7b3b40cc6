"""The status item of an event."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.common import status
from lambdas.common.contracts.workflow.status import EventStatus
from lambdas.common.errors import DependencyUnavailableError
from lambdas.delivery.ledger.context import LedgerContext
from tests.support.messages import envelope

EVENT = "5e" * 16


ENVELOPE = envelope(EVENT)


def set_status(aws: Any, name: EventStatus) -> None:
    """As the workflow does it."""
    aws.client("dynamodb").update_item(
        TableName="status",
        Key={"event_id": {"S": EVENT}},
        UpdateExpression="SET #s = :s, error_name = :e, failed_step = :p",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": {"S": name}, ":e": {"S": "X"}, ":p": {"S": "Y"}},
    )


def test_an_event_that_was_never_seen_has_no_status(context: LedgerContext, aws: Any) -> None:
    assert status.read(context, EVENT) is None


def test_an_event_that_runs_again_keeps_when_it_was_first_received(
    context: LedgerContext, aws: Any
) -> None:
    assert status.open_event(context, ENVELOPE, "arn:1")
    set_status(aws, EventStatus.FAILED)
    later = replace(ENVELOPE, received_at="2026-11-24T00:00:00.000Z")
    assert status.open_event(context, later, "arn:2")

    item = status.read(context, EVENT)
    assert item is not None
    assert (item.status, item.execution_arn) == (EventStatus.OPEN, "arn:2")
    assert (item.received_at, item.day) == ("2026-11-23T09:15:02.113Z", "2026-11-23")
    assert (item.error_name, item.failed_step) == ("", "")


def test_a_completed_event_opens_for_a_replay_alone(context: LedgerContext, aws: Any) -> None:
    status.open_event(context, ENVELOPE, "arn:1")
    set_status(aws, EventStatus.COMPLETED)
    before = status.read(context, EVENT)

    assert not status.open_event(context, ENVELOPE, "arn:2")
    assert status.read(context, EVENT) == before

    assert status.open_event(context, replace(ENVELOPE, replay="again"), "arn:3")
    item = status.read(context, EVENT)
    assert item is not None
    assert (item.status, item.execution_arn) == (EventStatus.OPEN, "arn:3")


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
