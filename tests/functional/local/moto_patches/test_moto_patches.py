"""The changes that make moto faster: the same answers, and the slow part done once."""

import json
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.model import Shape
from moto import mock_aws
from moto.backend_index import backend_url_patterns
from moto.core.serialize import ResponseSerializer
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from local import moto_patches
from local.moto_patches import definitions, ends, expressions, serializers

ROLE = "arn:aws:iam::123456789012:role/machine"


def machine(value: str) -> str:
    """A workflow with a Map, whose jobs are state of the program that runs."""
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
    moto_patches.install()
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
    assert ends.wait(execution, 30)
    return json.loads(workflows.describe_execution(executionArn=execution)["output"])


def test_executions_at_the_same_time_have_programs_of_their_own(workflows: Any) -> None:
    arn = create(workflows, "many", machine("a"))
    started = {number: start(workflows, arn, [number, number + 1]) for number in range(5)}
    for number, execution in started.items():
        items = [done["item"] for done in output(workflows, execution)["done"]]
        assert items == [number, number + 1]


def test_a_definition_is_parsed_once(workflows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    definitions._pickled.cache_clear()
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


def test_a_thread_that_waits_is_told_when_the_execution_ends() -> None:
    moto_patches.install()
    told = []
    waiter = threading.Thread(target=lambda: told.append(ends.wait("arn:some:execution", 30)))
    waiter.start()
    with ends._changed:
        ends._ended["arn:some:execution"] = None
        ends._changed.notify_all()
    waiter.join(5)
    assert told == [True]


def test_an_execution_that_runs_on_is_given_up_waiting_for() -> None:
    assert ends.wait("arn:never:ends", 0.01) is False


@pytest.mark.parametrize(
    "host", ["sqs.us-east-1.amazonaws.com", "dynamodb", "sesv2", "states.us-east-1.amazonaws.com"]
)
def test_a_cached_host_has_the_backend_that_moto_finds(host: str) -> None:
    moto_patches.install()
    application = DomainDispatcherApplication(create_backend_app)
    matching = [name for name, pattern in backend_url_patterns if pattern.match(f"http://{host}")]
    for _ in range(2):
        found = application.get_backend_for_host(host)
        assert found == (matching[0] if matching else host)


def test_each_member_of_an_answer_is_the_one_that_moto_finds(
    aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, compared = serializers._get_value, []

    def both(serializer: ResponseSerializer, value: Any, key: str, shape: Shape) -> Any:
        found = serializers._value(serializer, value, key, shape)
        assert found == original(serializer, value, key, shape)
        compared.append(key)
        return found

    monkeypatch.setattr(ResponseSerializer, "get_value", both)
    dynamodb, sqs = aws.client("dynamodb"), aws.client("sqs")
    dynamodb.describe_table(TableName="ledger")
    item = {"event_id": {"S": "e"}, "list": {"L": [{"N": "1"}, {"M": {"a": {"BOOL": True}}}]}}
    dynamodb.put_item(TableName="status", Item=item)
    dynamodb.scan(TableName="status", ReturnConsumedCapacity="TOTAL")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="text")
    sqs.receive_message(QueueUrl=url, AttributeNames=["All"])
    aws.client("secretsmanager").get_secret_value(SecretId="audit-key")
    assert len(compared) > 200


UPDATES = [
    "SET a = :one, b = if_not_exists(b, :list), #c = :one REMOVE d",
    "SET a = a + :one, b = list_append(b, :list) DELETE e :set",
    "SET #c = :one, b[0] = :one ADD a :one, f :set",
    "SET event_id = :one",
    "SET a = missing + :one",
    "SET a = :one, a = :one",
]
VALUES = {":one": {"N": "1"}, ":list": {"L": [{"S": "x"}]}, ":set": {"SS": ["s"]}}


def updated(dynamodb: Any, table: str) -> list[Any]:
    """The item or the error after each update of `UPDATES`."""
    found: list[Any] = []
    for expression in UPDATES:
        try:
            answer = dynamodb.update_item(
                TableName=table,
                Key={"event_id": {"S": "e"}},
                UpdateExpression=expression,
                ExpressionAttributeValues={k: v for k, v in VALUES.items() if k in expression},
                **({"ExpressionAttributeNames": {"#c": "c"}} if "#c" in expression else {}),
                ReturnValues="ALL_NEW",
            )
            found.append(answer["Attributes"])
        except ClientError as error:
            found.append(str(error))
    return found


def test_an_update_does_what_it_does_in_moto(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    dynamodb = aws.client("dynamodb")
    changed = updated(dynamodb, "status")
    dynamodb.delete_item(TableName="status", Key={"event_id": {"S": "e"}})
    monkeypatch.setattr(
        expressions.DepthFirstTraverser, "traverse_node_recursively", expressions._traverse
    )
    monkeypatch.setattr(expressions.UpdateExpressionParser, "make", expressions._make)
    assert updated(dynamodb, "status") == changed
    assert sum(isinstance(result, str) for result in changed) >= 3
