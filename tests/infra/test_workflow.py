"""The definition is the file, the machine runs it as EXPRESS, and the pipe feeds it one message at a time."""

import json
from collections.abc import Callable

import pytest

from environments import load
from tests.conftest import ROOT
from tests.infra.conftest import Stacks
from tests.infra.template import STEPS, Template, text
from tests.support.aws_calls.workflow import tasks

DEFINITION = json.loads((ROOT / "statemachine" / "patient_event.asl.json").read_text("utf-8"))
TASKS = dict(tasks(DEFINITION["States"]))


def resolved(template: Template, substitution: str) -> str:
    """The logical id of the resource that a `${Name}` of the definition stands for."""
    machine = template.properties("Workflow/StateMachine")
    value = machine["DefinitionSubstitutions"][substitution.strip("${}")]
    return value["Ref"] if "Ref" in value else str(value["Fn::GetAtt"][0])


def test_the_definition_is_the_file_and_nothing_in_it_stays_open(core: Template) -> None:
    machine = core.properties("Workflow/StateMachine")
    definition = machine["DefinitionString"]
    assert json.loads(definition) == DEFINITION
    open_names = {part.split("}")[0] for part in definition.split("${")[1:]}
    assert open_names == set(machine["DefinitionSubstitutions"])


def test_each_step_is_the_function_of_its_name(core: Template) -> None:
    for name in STEPS[:4]:
        assert resolved(core, f"${{{name}Arn}}") == core.id_of(name)


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
    assert logged is load(name).log_execution_data is (name == "dev")


def test_the_pipe_brings_one_message_at_a_time_and_waits(core: Template) -> None:
    pipe = core.properties("Pipe")
    assert text(pipe["Source"]) == f"<{core.id_of('Queues/Events')}.Arn>"
    assert pipe["SourceParameters"] == {"SqsQueueParameters": {"BatchSize": 1}}
    assert text(pipe["Target"]) == f"<{core.id_of('Workflow/StateMachine')}>"
    assert pipe["TargetParameters"] == {
        "StepFunctionStateMachineParameters": {"InvocationType": "REQUEST_RESPONSE"}
    }
    assert "IncludeExecutionData" not in pipe["LogConfiguration"]
