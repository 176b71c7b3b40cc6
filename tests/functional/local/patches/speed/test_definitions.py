"""Workflows that are parsed once run as those that moto parses for each execution."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from local.patches import speed
from local.patches.additions import execution_ends
from local.patches.speed import stepfunctions

ROLE = "arn:aws:iam::123456789012:role/machine"


def machine(value: str) -> str:
    """A workflow with a Map."""
    each = {"Type": "Pass", "Parameters": {"value": value, "item.$": "$"}, "End": True}
    states = {
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {"StartAt": "One", "States": {"One": each}},
            "ResultPath": "$.done",
            "End": True,
        }
    }
    return json.dumps({"StartAt": "Each", "States": states})


@pytest.fixture
def workflows(environment: dict[str, str]) -> Iterator[Any]:
    """A Step Functions client of a moto that runs machines, with the changes applied."""
    speed.install()
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        yield boto3.client("stepfunctions")


def create(workflows: Any, name: str, definition: str) -> str:
    made = workflows.create_state_machine(name=name, definition=definition, roleArn=ROLE)
    arn: str = made["stateMachineArn"]
    return arn


def start(workflows: Any, arn: str, items: list[int]) -> str:
    started = workflows.start_execution(
        stateMachineArn=arn, name=str(uuid.uuid4()), input=json.dumps({"items": items})
    )
    execution: str = started["executionArn"]
    return execution


def output(workflows: Any, execution: str) -> Any:
    assert execution_ends.wait(execution, 30)
    return json.loads(workflows.describe_execution(executionArn=execution)["output"])


def test_executions_at_the_same_time_have_their_own_items(workflows: Any) -> None:
    arn = create(workflows, "many", machine("a"))
    started = {number: start(workflows, arn, [number, number + 1]) for number in range(5)}
    for number, execution in started.items():
        items = [done["item"] for done in output(workflows, execution)["done"]]
        assert items == [number, number + 1]


def failing(attempts: int) -> str:
    """A workflow whose task, a function that does not exist, is tried again so often at once."""
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "none"},
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": attempts}],
        "End": True,
    }
    return json.dumps({"StartAt": "Ask", "States": {"Ask": task}})


def test_executions_of_one_program_count_their_own_retries(workflows: Any) -> None:
    arn = create(workflows, "failing", failing(1))
    executions = [start(workflows, arn, []) for _ in range(3)]
    for execution in executions:
        assert execution_ends.wait(execution, 30)
        history = workflows.get_execution_history(executionArn=execution)["events"]
        assert [event["type"] for event in history].count("TaskScheduled") == 2


def test_a_definition_is_parsed_once(workflows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stepfunctions._parsed.cache_clear()
    parsed: list[str] = []
    parse = AmazonStateLanguageParser.parse

    def counting(definition: str) -> Any:
        parsed.append(definition)
        return parse(definition)

    monkeypatch.setattr(AmazonStateLanguageParser, "parse", staticmethod(counting))
    arn = create(workflows, "once", machine("b"))
    for _ in range(3):
        output(workflows, start(workflows, arn, [1]))
    assert len(parsed) == 1


def test_a_changed_definition_runs_as_it_is_now(workflows: Any) -> None:
    arn = create(workflows, "changing", machine("before"))
    assert output(workflows, start(workflows, arn, [1]))["done"][0]["value"] == "before"
    workflows.update_state_machine(stateMachineArn=arn, definition=machine("after"))
    assert output(workflows, start(workflows, arn, [1]))["done"][0]["value"] == "after"


def test_a_definition_that_is_none_is_refused_as_in_moto(workflows: Any) -> None:
    for _ in range(2):
        with pytest.raises(ClientError, match="ASLParserException"):
            create(workflows, "broken", '{"StartAt": "A", "States": ')
