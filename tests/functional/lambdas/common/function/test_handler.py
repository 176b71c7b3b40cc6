"""The wrapper around every handler: what it lets through, what it says, and what it never says."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.common.audit import chain
from lambdas.common.aws import item_reads
from lambdas.common.contracts.audit import AuditAction, AuditOutcome, AuditStep
from lambdas.common.contracts.workflow.tasks import EventReference, StepInput
from lambdas.common.errors import (
    ContractError,
    DeliveryRefusedError,
    DependencyUnavailableError,
    EnsError,
    UnexpectedError,
    UnprocessableMessageError,
)
from lambdas.common.function.context import Context
from lambdas.common.function.handler import Run, step
from lambdas.common.function.settings import Settings
from lambdas.delivery.ledger.context import LedgerContext
from tests.conftest import ROOT
from tests.support.lambda_context import LambdaContext
from tests.support.logs import on_stdout


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedInput(StepInput):
    """A step's input that holds a value nobody may see."""

    envelope: EventReference
    note: str = ""

    @property
    def event(self) -> EventReference:
        return self.envelope


@dataclass(frozen=True, slots=True)
class NotedResult:
    answer: str = ""


STEP = AuditStep.PARSE_MESSAGE
Act = Callable[[NotedInput, Run], NotedResult]
EVENT = "5e" * 16
SECRET = "Amaka Okonjo"
TASK: dict[str, Any] = {
    "envelope": {"event_id": EVENT, "sender": "northgen"},
    "execution_arn": "arn:aws:states:us-east-1:123456789012:express:m:e",
    "attempt": 2,
    "note": SECRET,
}


def handler(act: Act) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The wrapped handler of a step that does `act`, in a sandbox of its own."""
    wrapped = step(STEP, NotedInput, lambda: Context(Settings.from_environment()))(
        lambda task, run, _: act(task, run)
    )

    def invoke(task: dict[str, Any]) -> dict[str, Any]:
        with on_stdout(STEP):
            return wrapped(task, LambdaContext(STEP))

    return invoke


def raising(error: BaseException) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def act(task: NotedInput, run: Run) -> NotedResult:
        raise error

    return handler(act)


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Every JSON line that the function wrote, metrics among them."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_good_run_logs_ids_and_counts_and_nothing_of_its_input(
    context: LedgerContext, aws: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def act(task: NotedInput, run: Run) -> NotedResult:
        run.audit(AuditAction.PARSED, AuditOutcome.OK, counts={"notes": 1})
        run.count("Notes", 3)
        return NotedResult(task.note)

    assert handler(act)(TASK) == {"answer": SECRET}

    lines = logged(capsys)
    assert SECRET not in str(lines)
    [done] = [line for line in lines if line.get("message") == "done"]
    assert done["event_id"] == EVENT
    assert done["attempt"] == 2
    assert done["execution_arn"] == TASK["execution_arn"]
    [metric] = [line for line in lines if "_aws" in line]
    assert metric["Notes"] == [3.0]
    assert metric["environment"] == "test"

    [entry] = chain.entries(context, EVENT)
    assert (entry["step"], entry["actor"]) == ("ParseMessage", "lambda:ParseMessage")
    assert (entry["sender"], entry["attempt"]) == ("northgen", 2)
    assert entry["execution_arn"] == TASK["execution_arn"]


@pytest.mark.parametrize(
    "unplanned",
    [
        ValueError(f"bad patient {SECRET}"),
        KeyError(SECRET),
        ClientError({"Error": {"Code": "AccessDenied", "Message": SECRET}}, "PutObject"),
        ExceptionGroup(SECRET, [ValueError(SECRET)]),
        type("OkonjoError", (Exception,), {})(SECRET),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_exception_nobody_planned_shows_its_type_and_place_and_never_its_text(
    context: LedgerContext,
    aws: Any,
    capsys: pytest.CaptureFixture[str],
    caplog: Any,
    unplanned: Exception,
) -> None:
    with pytest.raises(UnexpectedError) as raised:
        raising(unplanned)(TASK)

    assert str(raised.value).startswith(type(unplanned).__name__)
    assert " at lambdas/" in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    out, err = capsys.readouterr()
    assert '"error_name":"UnexpectedError"' in out
    for text in (str(raised.value), out, err, caplog.text, str(chain.entries(context, EVENT))):
        assert SECRET not in text
    [entry] = chain.entries(context, EVENT)
    assert (entry["action"], entry["outcome"]) == ("FAILED", "failed")
    assert entry["error_name"] == "UnexpectedError"


def test_a_refusal_of_a_service_adds_its_code(aws: Any) -> None:
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": SECRET}}, "PutObject")
    with pytest.raises(UnexpectedError, match=r"^ClientError AccessDenied at "):
        raising(refused)(TASK)


@pytest.mark.parametrize(
    "planned", [DependencyUnavailableError("s3: x"), UnprocessableMessageError("PID-3 is empty")]
)
def test_an_error_of_ours_passes_by_its_name_and_is_audited(
    context: LedgerContext, aws: Any, planned: EnsError
) -> None:
    with pytest.raises(type(planned)) as raised:
        raising(planned)(TASK)
    assert raised.value is planned
    [entry] = chain.entries(context, EVENT)
    assert (entry["error_name"], entry["error"]) == (type(planned).__name__, str(planned))


def test_an_error_of_ours_hides_the_one_it_came_from(aws: Any) -> None:
    def act(task: NotedInput, run: Run) -> NotedResult:
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise UnprocessableMessageError("PID-5 is not a name") from error

    with pytest.raises(UnprocessableMessageError) as raised:
        handler(act)(TASK)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_a_refused_delivery_is_no_failure_of_the_step(context: LedgerContext, aws: Any) -> None:
    with pytest.raises(DeliveryRefusedError):
        raising(DeliveryRefusedError("ses: MessageRejected"))(TASK)
    assert chain.entries(context, EVENT) == []


@pytest.mark.parametrize("others", [0, 1])
def test_a_second_entry_of_a_run_reads_the_chain_again_only_after_another_writer(
    context: LedgerContext, aws: Any, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    reads: list[Any] = []
    real = item_reads.read_item

    def counted(*arguments: Any) -> Any:
        reads.append(arguments)
        return real(*arguments)

    def act(task: NotedInput, run: Run) -> NotedResult:
        run.audit(AuditAction.RECEIVED, AuditOutcome.OK)
        for _ in range(others):
            chain.append(context, EVENT, run.entry(AuditAction.REPLAYED, AuditOutcome.OK))
        monkeypatch.setattr(item_reads, "read_item", counted)
        run.audit(AuditAction.PARSED, AuditOutcome.OK)
        return NotedResult()

    handler(act)(TASK)
    assert len(reads) == others
    written = [entry["seq"] for entry in chain.entries(context, EVENT)]
    assert written == list(range(1, 3 + others))


def test_an_audit_that_is_down_does_not_hide_the_failure_itself(
    aws: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def down(*arguments: Any, **named: Any) -> None:
        raise ValueError(SECRET)

    monkeypatch.setattr(chain, "append", down)
    with pytest.raises(UnprocessableMessageError, match="PID-3 is empty"):
        raising(UnprocessableMessageError("PID-3 is empty"))(TASK)
    lines = logged(capsys)
    assert "the failure is not audited" in [line.get("message") for line in lines]
    assert SECRET not in str(lines)


@pytest.mark.parametrize("task", [{}, {"envelope": SECRET}, SECRET, {**TASK, "attempt": SECRET}])
def test_a_task_that_does_not_fit_its_contract_is_rejected_and_shows_nothing(
    aws: Any, capsys: pytest.CaptureFixture[str], task: Any
) -> None:
    with pytest.raises(ContractError) as raised:
        raising(AssertionError("never reached"))(task)
    assert SECRET not in str(raised.value)
    assert all(SECRET not in text for text in capsys.readouterr())


def test_a_task_that_does_not_fit_is_logged_and_not_as_the_event_before_it(
    aws: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    invoke = handler(lambda task, run: NotedResult())
    invoke(TASK)
    with pytest.raises(ContractError):
        invoke({**TASK, "attempt": SECRET})
    [line] = [line for line in logged(capsys) if line.get("error_name") == "ContractError"]
    assert line["message"] == "NotedInput: attempt is not of its type"
    assert "event_id" not in line


def test_a_missing_setting_is_told_by_its_name(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENS_VAULT_BUCKET")
    with pytest.raises(DependencyUnavailableError, match="ENS_VAULT_BUCKET"):
        handler(lambda task, run: NotedResult())(TASK)


def test_tracing_does_not_hook_into_boto_because_it_keeps_what_services_answer(
    environment: dict[str, str],
) -> None:
    # In a process of its own: a hook, once in place, stays.
    look = (
        "from lambdas.parse_message.handler import lambda_handler;"
        "from botocore.client import BaseClient; print(type(BaseClient._make_api_call).__name__)"
    )
    traced = {**os.environ, "LAMBDA_TASK_ROOT": "/var/task"}
    del traced["POWERTOOLS_TRACE_DISABLED"]
    answer = subprocess.run(
        [sys.executable, "-c", look],
        cwd=ROOT,
        env=traced,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "function"
