"""The definition is the file; every call that its states and the pipe make is granted, and no other."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.settings import ENVIRONMENTS
from tests.conftest import ROOT
from tests.infra.conftest import Stacks
from tests.infra.template import STEPS, Template, may_use, text

ITEM_ACTIONS = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}


def tasks(states: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every Task state by name, those inside a Map among them."""
    for name, state in states.items():
        if state["Type"] == "Task":
            yield name, state
        if "ItemProcessor" in state:
            yield from tasks(state["ItemProcessor"]["States"])


DEFINITION = json.loads((ROOT / "statemachine" / "patient_event.asl.json").read_text("utf-8"))
TASKS = dict(tasks(DEFINITION["States"]))


def needs(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a Task state calls: an action and the substitution or name of its target."""
    resource, parameters = state["Resource"], state["Parameters"]
    match resource.rsplit(":", 1)[-1]:
        case "transactWriteItems":
            for item in parameters["TransactItems"]:
                ((verb, call),) = item.items()
                yield ITEM_ACTIONS[verb], call["TableName"]
        case "sendMessage":
            yield "sqs:SendMessage", parameters["QueueUrl"]
        case "changeMessageVisibility":
            yield "sqs:ChangeMessageVisibility", parameters["QueueUrl"]
        case _ if resource.startswith("${"):
            yield "lambda:InvokeFunction", resource
        case _:
            pytest.fail(f"no rule here says which grant {resource} needs")


CALLS = [(name, *need) for name, state in TASKS.items() for need in needs(state)]


@pytest.mark.parametrize(("state", "action", "target"), CALLS)
def test_the_workflow_may_do_what_its_states_do(
    state: str, action: str, target: str, core: Template
) -> None:
    role = core.id_of("Workflow/Role")
    logical_id = resolved(core, target)
    assert core.allowed(role, action, f"<{logical_id}.Arn>"), (state, action, logical_id)
    for key_action, key, service in key_needs(core, action, logical_id):
        assert may_use(core, role, key_action, key, service), (state, key_action, key)


def resolved(template: Template, substitution: str) -> str:
    """The logical id of the resource that a `${Name}` of the definition stands for."""
    machine = template.properties("Workflow/StateMachine")
    value = machine["DefinitionSubstitutions"][substitution.strip("${}")]
    return value["Ref"] if "Ref" in value else str(value["Fn::GetAtt"][0])


def key_needs(template: Template, action: str, target: str) -> list[tuple[str, str, str]]:
    """The use of a key that comes with a call, by the key of the call's target."""
    resource = template.resources[target]["Properties"]
    if action.startswith("dynamodb:"):
        key = text(resource["SSESpecification"]["KMSMasterKeyId"])
        return [("kms:Decrypt", key, "dynamodb")]
    if action == "sqs:SendMessage":
        key = text(resource["KmsMasterKeyId"])
        return [("kms:GenerateDataKey", key, "sqs"), ("kms:Decrypt", key, "sqs")]
    return []


def test_the_definition_is_the_file_and_nothing_in_it_stays_open(core: Template) -> None:
    machine = core.properties("Workflow/StateMachine")
    definition = machine["DefinitionString"]
    assert json.loads(definition) == DEFINITION
    open_names = {part.split("}")[0] for part in definition.split("${")[1:]}
    assert open_names == set(machine["DefinitionSubstitutions"])


def test_each_step_is_the_function_of_its_name(core: Template) -> None:
    for name in STEPS[:4]:
        assert resolved(core, f"${{{name}Arn}}") == core.id_of(name)


def test_the_workflow_may_do_nothing_that_no_state_does(core: Template) -> None:
    called = {(action, f"<{resolved(core, target)}.Arn>") for _, action, target in CALLS}
    granted = {
        (action, resource)
        for statement in core.statements(core.id_of("Workflow/Role"))
        for action in statement.actions
        for resource in statement.resources
        if not action.startswith(("kms:", "logs:", "xray:"))
    }
    assert granted == called


def test_the_machine_is_express_logs_every_state_and_is_traced(core: Template) -> None:
    machine = core.properties("Workflow/StateMachine")
    assert machine["StateMachineType"] == "EXPRESS"
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    name = core.properties("Workflow/Logs")["LogGroupName"]
    assert name.startswith("/aws/vendedlogs/states/")


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_the_log_holds_input_and_output_only_where_the_environment_says_so(
    name: str, synthesised: Callable[[str], Stacks]
) -> None:
    machine = synthesised(name)["core"].properties("Workflow/StateMachine")
    logged = machine["LoggingConfiguration"]["IncludeExecutionData"]
    assert logged is ENVIRONMENTS[name].log_execution_data is (name == "dev")


def test_the_pipe_brings_one_message_at_a_time_and_waits(core: Template) -> None:
    pipe = core.properties("Pipe")
    assert text(pipe["Source"]) == f"<{core.id_of('Queues/Events')}.Arn>"
    assert pipe["SourceParameters"] == {"SqsQueueParameters": {"BatchSize": 1}}
    assert text(pipe["Target"]) == f"<{core.id_of('Workflow/StateMachine')}>"
    assert pipe["TargetParameters"] == {
        "StepFunctionStateMachineParameters": {"InvocationType": "REQUEST_RESPONSE"}
    }
    assert "IncludeExecutionData" not in pipe["LogConfiguration"]


def test_the_pipe_may_take_from_the_queue_and_start_the_workflow(core: Template) -> None:
    role = core.id_of("Pipe/Role")
    queue = f"<{core.id_of('Queues/Events')}.Arn>"
    for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
        assert core.allowed(role, f"sqs:{action}", queue)
    machine = f"<{core.id_of('Workflow/StateMachine')}>"
    assert core.allowed(role, "states:StartSyncExecution", machine)
    key = text(core.properties("Queues/Events")["KmsMasterKeyId"])
    assert may_use(core, role, "kms:Decrypt", key, "sqs")
