"""Tasks on threads that are used again end as on threads of their own."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.patches import speed
from local.patches.additions import execution_ends
from local.patches.speed import stepfunctions

ROLE = "arn:aws:iam::123456789012:role/machine"
TASK: dict[str, Any] = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:sqs:listQueues",
    "Parameters": {},
    "ResultPath": None,
    "End": True,
}


@pytest.fixture
def workflows(environment: dict[str, str]) -> Iterator[Any]:
    speed.install()
    execution_ends.install()
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        yield boto3.client("stepfunctions")


def machine(workflows: Any, states: dict[str, Any], first: str) -> str:
    made = workflows.create_state_machine(
        name=f"m-{uuid.uuid4().hex}",
        definition=json.dumps({"StartAt": first, "States": states}),
        roleArn=ROLE,
    )
    arn: str = made["stateMachineArn"]
    return arn


def status(workflows: Any, arn: str, items: int = 1) -> str:
    started = workflows.start_execution(
        stateMachineArn=arn, name=uuid.uuid4().hex, input=json.dumps({"items": [1] * items})
    )
    assert execution_ends.wait(started["executionArn"], 30)
    found = workflows.describe_execution(executionArn=started["executionArn"])
    word: str = found["status"]
    return word


def test_tasks_one_after_the_other_use_one_thread(
    workflows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"T{number}" for number in range(10)]
    states = {
        name: {**{k: v for k, v in TASK.items() if k != "End"}, "Next": following}
        for name, following in pairwise(names)
    }
    arn = machine(workflows, {**states, names[-1]: TASK}, names[0])
    monkeypatch.setattr(stepfunctions, "_idle", [])
    assert status(workflows, arn) == "SUCCEEDED"
    assert len(stepfunctions._idle) == 1


def test_tasks_at_the_same_time_wait_for_no_thread(
    workflows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, passed = threading.Barrier(12), list[int]()
    monkeypatch.setattr(
        "moto.sqs.responses.SQSResponse.list_queues", lambda _: passed.append(together.wait(20))
    )
    each = {"Type": "Map", "ItemsPath": "$.items", "ResultPath": None, "End": True}
    states = {"Each": {**each, "ItemProcessor": {"StartAt": "One", "States": {"One": TASK}}}}
    status(workflows, machine(workflows, states, "Each"), items=12)
    assert sorted(passed) == list(range(12))


def test_a_task_that_takes_too_long_times_out(
    workflows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moto.sqs.responses.SQSResponse.list_queues", lambda _: time.sleep(2))
    arn = machine(workflows, {"Slow": {**TASK, "TimeoutSeconds": 1}}, "Slow")
    began = time.monotonic()
    assert status(workflows, arn) in ("FAILED", "TIMED_OUT")
    assert time.monotonic() - began < 2


def test_a_thread_without_work_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepfunctions, "IDLE_SECONDS", 0.05)
    monkeypatch.setattr(stepfunctions, "_idle", [])
    used: list[threading.Thread] = []
    done = threading.Event()

    def work() -> None:
        used.append(threading.current_thread())
        done.set()

    stepfunctions._Task(work, daemon=True).start()
    assert done.wait(5)
    (thread,) = used
    thread.join(5)
    assert not thread.is_alive()
    assert stepfunctions._idle == []
