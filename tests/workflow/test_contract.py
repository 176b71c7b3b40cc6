"""The state machine's file keeps the promises that the steps and the queue rely on."""

import dataclasses
import inspect
import json
import re
from collections.abc import Iterable
from typing import Any

import pytest

from lambdas.common import errors
from lambdas.common.contracts.audit import AuditAction, AuditEntry, AuditOutcome, AuditStep
from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.findings import FindingsOutcome
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.common.contracts.workflow.status import EventStatus, StatusItem
from tests.conftest import ROOT
from tests.support.workflow import ASL_FILE, STEPS

MACHINE = json.loads(ASL_FILE.read_text())
SETTINGS = json.loads((ROOT / "environments" / "environment.schema.json").read_text("utf-8"))
STATES = MACHINE["States"]
DELIVERY = STATES["DeliverAll"]["ItemProcessor"]["States"]
ALL_STATES = {**STATES, **DELIVERY}
RAISED = {
    name
    for name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.EnsError) and kind is not errors.EnsError
}
PLATFORM = ("Lambda.", "Sandbox.", "Runtime.", "States.")


def names_in(catchers: list[dict[str, Any]]) -> set[str]:
    return {name for catcher in catchers for name in catcher["ErrorEquals"]}


def retries(step: str) -> list[dict[str, Any]]:
    retriers: list[dict[str, Any]] = ALL_STATES[step]["Retry"]
    return retriers


def test_every_step_of_the_code_is_a_state_and_the_other_way_round() -> None:
    functions = {
        re.fullmatch(r"\$\{(\w+)Arn\}", state["Resource"])[1]  # type: ignore[index]
        for state in ALL_STATES.values()
        if state["Type"] == "Task" and state["Resource"].startswith("${")
    }
    assert functions == set(STEPS)
    assert all(step in ALL_STATES for step in STEPS)


def test_retry_and_catch_name_only_errors_that_exist() -> None:
    named = {
        name
        for state in ALL_STATES.values()
        for part in ("Retry", "Catch")
        for name in names_in(state.get(part, []))
    }
    assert {name for name in named if not name.startswith(PLATFORM)} <= RAISED


def literals(node: Any, member: str) -> set[str]:
    """Every text that the file gives to members of this name, DynamoDB's `{"S": …}` included."""
    if isinstance(node, list):
        return set().union(*(literals(one, member) for one in node))
    if not isinstance(node, dict):
        return set()
    inner = set().union(*(literals(value, member) for value in node.values()))
    given = node.get(member)
    text = given.get("S") if isinstance(given, dict) else given
    return inner | ({text} if isinstance(text, str) else set())


@pytest.mark.parametrize(
    ("member", "closed_set", "used"),
    [
        ("action", AuditAction, {"COMPLETED", "FAILED"}),
        ("step", AuditStep, {"CompleteEvent", "RecordFailure"}),
        ("failed_step", AuditStep, {"ParseMessage", "DeliverAll", "CompleteEvent"}),
        ("outcome", {*AuditOutcome, *FindingsOutcome, *DeliveryState}, {"refused", "failed"}),
        (":completed", EventStatus, {"COMPLETED"}),
        (":failed", EventStatus, {"FAILED"}),
    ],
)
def test_every_word_of_a_closed_set_is_one_of_the_code(
    member: str, closed_set: Iterable[str], used: set[str]
) -> None:
    assert used <= literals(MACHINE, member) <= set(closed_set)


def test_a_choice_compares_an_outcome_with_one_that_the_step_may_give() -> None:
    compared = {
        rule["StringEquals"]
        for state in ALL_STATES.values()
        for rule in state.get("Choices", [])
        if rule.get("Variable", "").endswith(".outcome")
    }
    assert compared == {FindingsOutcome.DEFERRED}


def test_the_workflows_own_audit_entries_and_statuses_are_read_as_the_contracts() -> None:
    def plain(item: dict[str, Any]) -> dict[str, Any]:
        """The item with a text in place of each path into the state."""
        return {name: value.get("S", "2026-11-23") for name, value in item.items()}

    for name, failed in (("CompleteEvent", False), ("RecordFailure", True)):
        update, put = (
            next(iter(write.values())) for write in STATES[name]["Parameters"]["TransactItems"]
        )
        item = plain(put["Item"])
        entry = read_as(AuditEntry, item | ({"failed_step": "ParseMessage"} if failed else {}))
        assert item.keys() <= {field.name for field in dataclasses.fields(AuditEntry)}
        assert entry.step == name
        written = set(re.findall(r"#?(\w+) = ", update["UpdateExpression"]))
        assert written <= {field.name for field in dataclasses.fields(StatusItem)}


def test_the_permanent_path_takes_exactly_the_permanent_errors() -> None:
    *_, always, by_step = STATES["Permanent?"]["Choices"]
    assert always["Next"] == by_step["Next"] == "SendToDeadLetterQueue"
    chosen = {rule["StringEquals"] for rule in always["Or"]}
    assert chosen == {error.__name__ for error in errors.PERMANENT_ERRORS}
    names, steps = ({rule["StringEquals"] for rule in part["Or"]} for part in by_step["And"])
    assert names == {error.__name__ for error in errors.DETERMINISTIC_ERRORS}
    assert steps == errors.DETERMINISTIC_STEPS


@pytest.mark.parametrize("step", STEPS)
def test_every_step_retries_what_passes_by_itself(step: str) -> None:
    patient = [r for r in retries(step) if r["MaxAttempts"] >= 3]
    assert {
        "DependencyUnavailableError",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
        "Lambda.ClientExecutionTimeoutException",
    } == names_in(patient)


@pytest.mark.parametrize("state", [name for name, s in ALL_STATES.items() if "Retry" in s])
def test_every_retry_backs_off_with_full_jitter_up_to_a_limit(state: str) -> None:
    for retrier in retries(state):
        assert retrier["BackoffRate"] == 2
        assert retrier["JitterStrategy"] == "FULL"
        assert retrier["MaxDelaySeconds"] >= retrier["IntervalSeconds"]


def test_a_function_that_died_is_tried_once_more_except_where_a_mail_may_have_gone() -> None:
    died = {"Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory"}
    for step in ("ParseMessage", "TrackEncounter", "LookupIdentities", "ExtractEntities"):
        again = next(r for r in retries(step) if died <= set(r["ErrorEquals"]))
        assert again["MaxAttempts"] == 1
    assert not died & names_in(retries("DeliverNotification"))


def test_every_task_has_a_timeout_and_a_catch_for_everything() -> None:
    for name, state in ALL_STATES.items():
        if state["Type"] == "Task":
            assert state["TimeoutSeconds"] > 0, name
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name


def worst_seconds(name: str) -> float:
    """The longest a task can take: every attempt runs into its timeout, every delay is the longest."""
    state = ALL_STATES[name]
    attempts, delays = 1, 0.0
    for retrier in state["Retry"]:
        # Lambda refuses at once where no concurrency is left: such an attempt takes no time.
        if retrier["ErrorEquals"] != ["Lambda.TooManyRequestsException"]:
            attempts += retrier["MaxAttempts"]
        delays += sum(
            min(
                retrier["MaxDelaySeconds"], retrier["IntervalSeconds"] * retrier["BackoffRate"] ** n
            )
            for n in range(retrier["MaxAttempts"])
        )
    return attempts * float(state["TimeoutSeconds"]) + delays


def test_the_worst_path_ends_before_the_machine_times_out() -> None:
    good = [*STEPS, "CompleteEvent"]
    failing_last = worst_seconds("RecordFailure") + worst_seconds("ReturnSoon")
    failing_early = sum(map(worst_seconds, ("RecordFailure", "SendToDeadLetterQueue")))
    worst = sum(map(worst_seconds, good)) + failing_last
    look_up = STEPS.index("LookupIdentities") + 1
    early = sum(map(worst_seconds, STEPS[:look_up])) + failing_early
    assert max(worst, early) < MACHINE["TimeoutSeconds"]


def test_an_event_that_waits_for_its_turn_to_the_last_ends_before_the_machine_times_out() -> None:
    after = sum(
        map(
            worst_seconds,
            (
                "ExtractEntities",
                "DeliverNotification",
                "CompleteEvent",
                "RecordFailure",
                "ReturnSoon",
            ),
        )
    )
    longest = SETTINGS["properties"]["findings_wait_seconds"]["maximum"]
    assert longest + after < MACHINE["TimeoutSeconds"]


def test_the_machine_ends_by_itself_before_the_pipe_gives_up() -> None:
    """EventBridge user guide, Pipes: an execution of a pipe takes five minutes at most."""
    assert MACHINE["TimeoutSeconds"] <= 285


def test_only_ids_codes_and_counts_stand_in_the_state_after_parsing() -> None:
    """The message as the queue delivered it is read from the execution's input where one failed."""
    assert set(STATES["Unwrap"]["Parameters"]) == {
        "event.$",
        "receive_count.$",
        "policy",
        "clinical",
    }
    assert STATES["ParseMessage"]["ResultPath"] == "$.event"


def test_a_permanent_failure_ends_well_only_when_the_dead_letter_is_written() -> None:
    before = {
        name
        for name, state in STATES.items()
        if "DeadLettered"
        in json.dumps([state.get("Next"), state.get("Default"), state.get("Catch")])
    }
    assert before == {"SendToDeadLetterQueue"}
    assert names_in(STATES["SendToDeadLetterQueue"]["Catch"]) == {"States.ALL"}
    assert STATES["SendToDeadLetterQueue"]["Catch"][0]["Next"] == "Failed"
    assert STATES["SendToDeadLetterQueue"]["OutputPath"] == "$.failure"


def test_no_state_can_answer_the_pipe_with_a_partial_batch_failure() -> None:
    assert "batchItemFailures" not in ASL_FILE.read_text()


def test_the_file_is_jsonpath_without_assign() -> None:
    text = ASL_FILE.read_text()
    assert "QueryLanguage" not in text
    assert '"Assign"' not in text
