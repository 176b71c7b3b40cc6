"""The functions: what they are told, how long they may take, where they run."""

import ast
import re
from collections.abc import Callable
from functools import cache

import pytest

from environments import load
from lambdas.extract_entities.context import ExtractSettings, Quota
from tests.conftest import ROOT
from tests.infra.conftest import Stacks
from tests.infra.grants import folder_of
from tests.infra.template import STEPS, Template
from tests.infra.test_workflow import TASKS
from tests.support.aws_calls.program import Program

REQUIRED = re.compile(r'required\(\s*"(ENS_[A-Z_]+)"')


@cache
def source_of(step: str) -> str:
    """The text of a step's handler and of all that it imports of this repository, however far."""
    modules = Program(ROOT, f"lambdas.{folder_of(step)}.handler").modules
    return "".join(ast.unparse(module.tree).replace("'", '"') for module in modules.values())


@pytest.mark.parametrize("step", STEPS)
def test_a_function_is_told_every_setting_that_its_code_asks_for(step: str, core: Template) -> None:
    told = core.properties(step)["Environment"]["Variables"]
    assert set(REQUIRED.findall(source_of(step))) - set(told) == set()


@pytest.mark.parametrize("step", STEPS)
def test_a_function_is_told_nothing_that_nobody_asks_for(step: str, core: Template) -> None:
    told = core.properties(step)["Environment"]["Variables"]
    assert {n for n in told if n.startswith("ENS_") and f'"{n}"' not in source_of(step)} == set()


@pytest.mark.parametrize("step", STEPS)
def test_a_function_has_one_name_everywhere(step: str, core: Template) -> None:
    function = core.properties(step)
    environment = core.name.removesuffix("-core")
    assert function["FunctionName"] == f"{environment}-{step}"
    assert function["Handler"] == f"lambdas.{folder_of(step)}.handler.lambda_handler"
    assert function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == step
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
    assert core.properties(f"{step}Logs")["LogGroupName"] == f"/aws/lambda/{environment}-{step}"


@pytest.mark.parametrize("step", STEPS[:4])
def test_a_function_ends_before_the_workflow_gives_it_up(step: str, core: Template) -> None:
    """Otherwise a state would end as States.Timeout while the function is still sending."""
    assert core.properties(step)["Timeout"] < TASKS[step]["TimeoutSeconds"]


def test_every_log_is_encrypted_and_ends(prod: Stacks) -> None:
    for stack in prod.values():
        for logical_id, group in stack.of_type("AWS::Logs::LogGroup").items():
            assert "KmsKeyId" in group["Properties"], logical_id
            assert group["Properties"]["RetentionInDays"] == 365


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_the_function_is_told_the_accounts_quota_and_how_long_an_event_may_wait(
    name: str, synthesised: Callable[[str], Stacks], monkeypatch: pytest.MonkeyPatch
) -> None:
    function = synthesised(name)["core"].properties("ExtractEntities")
    told = function["Environment"]["Variables"]
    for setting, value in told.items():
        monkeypatch.setenv(setting, value if isinstance(value, str) else "name")
    read = ExtractSettings.from_environment()
    environment = load(name)
    assert read.quota == Quota(environment.comprehend_rate, environment.comprehend_characters)
    assert read.wait_seconds == environment.findings_wait_seconds


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_no_step_reserves_concurrency_that_a_new_account_does_not_have(
    name: str, synthesised: Callable[[str], Stacks]
) -> None:
    """Lambda developer guide, quotas: a new account may have a concurrency of 10."""
    core = synthesised(name)["core"]
    functions = core.of_type("AWS::Lambda::Function").values()
    assert not [f for f in functions if "ReservedConcurrentExecutions" in f["Properties"]]
