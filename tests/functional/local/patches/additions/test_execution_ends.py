"""A thread learns how an execution has ended without asking for it."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.patches.additions import execution_ends

ENDS = {
    "SUCCEEDED": {"Type": "Succeed"},
    "FAILED": {"Type": "Fail", "Error": "Some.Error"},
}


@pytest.fixture
def workflows(environment: dict[str, str]) -> Iterator[Any]:
    execution_ends.install()
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        yield boto3.client("stepfunctions")


def started(workflows: Any, state: dict[str, Any]) -> str:
    machine = workflows.create_state_machine(
        name="machine",
        definition=json.dumps({"StartAt": "Only", "States": {"Only": state}}),
        roleArn="arn:aws:iam::123456789012:role/workflow",
    )
    arn: str = workflows.start_execution(
        stateMachineArn=machine["stateMachineArn"], name=uuid.uuid4().hex
    )["executionArn"]
    return arn


@pytest.mark.parametrize("status", ENDS)
def test_a_thread_that_waits_is_told_how_the_execution_ended(workflows: Any, status: str) -> None:
    execution = started(workflows, ENDS[status])
    assert execution_ends.wait(execution, 30) == status
    assert workflows.describe_execution(executionArn=execution)["status"] == status


def test_an_execution_that_runs_on_is_waited_for_so_many_seconds(workflows: Any) -> None:
    execution = started(workflows, {"Type": "Wait", "Seconds": 1, "End": True})
    assert execution_ends.wait(execution, 0.01) is None
    assert execution_ends.wait(execution, 30) == "SUCCEEDED"
