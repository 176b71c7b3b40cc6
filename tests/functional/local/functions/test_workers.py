"""The sandboxes in which functions run: what they may import, and how they end."""

import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from infra import asset
from local.functions import workers
from local.functions.runtime import runtime_folder
from local.functions.sandbox import LambdaFunction
from local.functions.workers import Workers

HANDLER = """
import json, os, sys, time

def lambda_handler(event, context):
    return eval(event["do"])

class PatientTrouble(Exception):
    pass

def fail(text):
    raise PatientTrouble(text)
"""

Run = Callable[..., tuple[Any, bool]]
PACKAGES = (
    "aws_lambda_powertools",
    "aws_xray_sdk",
    "wrapt",
    "typing_extensions",
    "msgspec",
    "hl7apy",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An asset that holds one module, `handler`, which does what the event says."""
    made = tmp_path / "asset"
    made.mkdir()
    (made / "handler.py").write_text(HANDLER)
    return made


@pytest.fixture
def run(tmp_path: Path, folder: Path) -> Iterator[Run]:
    """Runs the asset's function on an event: its answer, and whether that is an error."""
    started: list[Workers] = []

    def runs(event: Any, **changes: Any) -> tuple[Any, bool]:
        if not started or changes:
            started.append(workers_of(tmp_path, function(folder, **changes)))
        payload, is_error = started[-1].invoke("ens-Sample", json.dumps(event).encode())
        return json.loads(payload), is_error

    yield runs
    for each in started:
        each.stop()


def function(folder: Path, **changes: Any) -> LambdaFunction:
    facts = {
        "name": "ens-Sample",
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:ens-Sample",
        "role_arn": "",
        "handler": "handler.lambda_handler",
        "asset": folder,
        "timeout": 5.0,
        "memory_mb": 512,
        "environment": {"ENS_ENVIRONMENT": "test", "POWERTOOLS_TRACE_DISABLED": "1"},
    }
    return LambdaFunction(**{**facts, **changes})


def workers_of(tmp_path: Path, *functions: LambdaFunction) -> Workers:
    runtime = runtime_folder(tmp_path / "runtime")
    return Workers(functions, runtime, tmp_path / "bytecode", tmp_path)


def test_a_handler_s_answer_comes_back(run: Run) -> None:
    assert run({"do": "[event['do'][:1], context.function_name]"}) == (["[", "ens-Sample"], False)


def test_a_function_sees_its_own_environment_and_no_other(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "the-developer-s")

    seen, _ = run({"do": "dict(os.environ)"})

    assert seen["ENS_ENVIRONMENT"] == "test"
    assert "AWS_PROFILE" not in seen


def test_a_function_starts_in_its_own_folder(run: Run, folder: Path) -> None:
    assert run({"do": "os.getcwd()"}) == (str(folder), False)


def test_boto3_is_there_as_in_lambda_s_runtime(run: Run) -> None:
    assert run({"do": "__import__('boto3').__name__"}) == ("boto3", False)


@pytest.mark.parametrize("package", ["moto", "hl7apy", "aws_lambda_powertools", "local", "pip"])
def test_what_only_the_checkout_has_is_not_there(run: Run, package: str) -> None:
    answer, is_error = run({"do": f"__import__({package!r}).__name__"})

    assert is_error
    assert answer["errorType"] == "ModuleNotFoundError"


def test_an_exception_has_lambda_s_shape_and_its_class_s_name(run: Run) -> None:
    answer, is_error = run({"do": "fail('PID-3 is empty')"})

    assert is_error
    assert (answer["errorType"], answer["errorMessage"]) == ("PatientTrouble", "PID-3 is empty")
    assert "fail" in answer["stackTrace"][-1]


def test_an_answer_that_is_no_json_is_lambda_s_marshal_error(run: Run) -> None:
    answer, is_error = run({"do": "object()"})

    assert is_error
    assert answer["errorType"] == "Runtime.MarshalError"


def test_a_function_that_takes_too_long_is_ended_and_the_next_call_works(run: Run) -> None:
    answer, is_error = run({"do": "time.sleep(60)"}, timeout=0.3)

    assert is_error
    assert answer["errorType"] == "Sandbox.Timedout"
    assert run({"do": "1"}) == (1, False)


def test_a_function_that_dies_is_named_so_and_the_next_call_works(run: Run) -> None:
    answer, is_error = run({"do": "os._exit(3)"})

    assert is_error
    assert answer["errorType"] == "Runtime.ExitError"
    assert "exit status 3" in answer["errorMessage"]
    assert run({"do": "1"}) == (1, False)


def test_what_a_function_prints_is_its_log_and_not_its_answer(run: Run, tmp_path: Path) -> None:
    assert run({"do": "print('one line')"}) == (None, False)

    assert "one line" in (tmp_path / "Sample.log").read_text()


def test_an_exception_is_in_the_log_with_its_text_as_in_lambda(run: Run, tmp_path: Path) -> None:
    run({"do": "fail('PID-3 is empty')"})

    assert "[ERROR] PatientTrouble: PID-3 is empty" in (tmp_path / "Sample.log").read_text()


def test_the_time_left_counts_down_from_the_timeout(run: Run) -> None:
    left, _ = run({"do": "context.get_remaining_time_in_millis()"})

    assert 0 < left <= 5000


def test_a_step_whose_requirement_is_missing_fails_as_in_lambda(tmp_path: Path) -> None:
    complete, lacking = tmp_path / "complete", tmp_path / "lacking"
    package("parse_message", complete, PACKAGES)
    package("parse_message", lacking, [name for name in PACKAGES if name != "hl7apy"])
    handler = "lambdas.parse_message.handler.lambda_handler"
    workers = workers_of(
        tmp_path,
        function(complete, name="ens-Complete", handler=handler),
        function(lacking, name="ens-Lacking", handler=handler),
    )

    try:
        complete_answer, _ = workers.invoke("ens-Complete", b"{}")
        answer, is_error = workers.invoke("ens-Lacking", b"{}")
    finally:
        workers.stop()

    assert "ImportModuleError" not in complete_answer.decode()
    assert is_error
    assert json.loads(answer)["errorType"] == "Runtime.ImportModuleError"
    assert "hl7apy" in json.loads(answer)["errorMessage"]


def package(step: str, folder: Path, packages: Any) -> None:
    """A step's asset, made from the sources and packages of this checkout."""
    for source in asset.sources(step):
        copy = folder / source.relative_to(asset.ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    for name in packages:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        installed = origin.parent if origin.name == "__init__.py" else origin
        (folder / installed.name).symlink_to(installed)


def at_once(run: Run, seconds: float) -> set[int]:
    """The processes that two invocations of so many seconds ran in."""
    run({"do": "os.getpid()"})  # the first sandbox is up
    event = {"do": f"[time.sleep({seconds}), os.getpid()][1]"}
    with ThreadPoolExecutor(2) as pool:
        return {answer for answer, _ in pool.map(lambda _: run(event), range(2))}


def test_a_short_invocation_is_waited_for(run: Run) -> None:
    assert len(at_once(run, 0.1)) == 1


@pytest.mark.slow
def test_beside_a_long_invocation_another_sandbox_starts(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 0.1)
    assert len(at_once(run, 3.0)) == 2
