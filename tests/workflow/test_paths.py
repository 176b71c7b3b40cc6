"""Every Retry and every Catch of the state machine, shown to do what it is there for."""

import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.sqs.models import SQSBackend

from lambdas.common import errors
from local.patches.speed.dynamodb.direct.calls import CALLS
from tests.support.workflow import STEPS, DeployedWorkflow, PlatformError
from tests.workflow.conftest import (
    CLINICAL,
    ENVELOPE,
    PARSED,
    dead_letters,
    deliver,
    failing,
    states_of,
    status_of,
    waiting,
)

EVENT_ID = str(ENVELOPE["event_id"])
TRANSIENT = (
    "DependencyUnavailableError",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
)
DIED = ("Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory")


def test_a_good_event_passes_every_step_once_and_is_completed(workflow: DeployedWorkflow) -> None:
    execution = workflow.run(workflow.send(ENVELOPE))
    assert execution["status"] == "SUCCEEDED"
    assert [name for name, _ in workflow.invocations] == [*STEPS, "DeliverNotification"]
    assert status_of(EVENT_ID)["status"] == "COMPLETED"


def test_the_completion_is_in_the_audit_without_any_code_of_ours(
    workflow: DeployedWorkflow,
) -> None:
    execution = workflow.run(workflow.send(ENVELOPE))
    entry = boto3.client("dynamodb").scan(TableName="audit")["Items"][0]
    assert entry["action"] == {"S": "COMPLETED"}
    assert entry["execution_arn"] == {"S": execution["executionArn"]}
    assert "seq" not in entry


@pytest.mark.parametrize(
    ("step", "error_name"),
    [
        *[("ParseMessage", error_name) for error_name in TRANSIENT],
        *[(step, "DependencyUnavailableError") for step in STEPS[1:]],
    ],
)
def test_a_passing_trouble_is_retried_three_times(
    workflow: DeployedWorkflow, step: str, error_name: str
) -> None:
    workflow.steps[step] = failing(error_name, 3, workflow.steps[step])
    execution = workflow.run(workflow.send(ENVELOPE))
    assert execution["status"] == "SUCCEEDED"
    assert execution["output"]["clinical"] == CLINICAL
    attempts = {attempt for name, attempt in workflow.invocations if name == step}
    assert attempts == {0, 1, 2, 3}
    assert len(workflow.waits) == (6 if step == "DeliverNotification" else 3)
    assert all(0 <= wait <= 4 for wait in workflow.waits)


@pytest.mark.parametrize(
    ("step", "error_name"),
    [
        *[("ParseMessage", error_name) for error_name in DIED],
        ("TrackEncounter", "Sandbox.Timedout"),
        ("LookupIdentities", "Sandbox.Timedout"),
        ("ExtractEntities", "Lambda.Unknown"),
    ],
)
def test_a_function_that_died_is_tried_once_more(
    workflow: DeployedWorkflow, step: str, error_name: str
) -> None:
    workflow.steps[step] = failing(error_name, 1, workflow.steps[step])
    assert workflow.run(workflow.send(ENVELOPE))["output"]["clinical"] == CLINICAL
    assert workflow.calls_of(step) == 2


@pytest.mark.parametrize("error_name", DIED)
def test_a_delivery_that_died_is_not_tried_again_at_once(
    workflow: DeployedWorkflow, error_name: str
) -> None:
    workflow.steps["DeliverNotification"] = failing(error_name, 1, deliver)
    execution = workflow.run(workflow.send(ENVELOPE))
    assert execution["status"] == "FAILED"
    assert workflow.calls_of("DeliverNotification") == 2, "once for each of two recipients"


@pytest.mark.parametrize(
    ("step", "error"),
    [
        *[("LookupIdentities", error) for error in errors.PERMANENT_ERRORS],
        ("ParseMessage", errors.UnprocessableMessageError),
        *[
            (step, error)
            for step in sorted(errors.DETERMINISTIC_STEPS)
            for error in errors.DETERMINISTIC_ERRORS
        ],
    ],
)
def test_a_permanent_error_goes_to_the_dead_letter_queue_at_once(
    workflow: DeployedWorkflow, step: str, error: type[errors.EnsError]
) -> None:
    workflow.steps[step] = failing(error.__name__, 99, deliver)
    record = workflow.send(ENVELOPE)
    execution = workflow.run(record)

    # The pipe deletes the message of an execution that succeeds, and only failed ones slow it down.
    assert execution["status"] == "SUCCEEDED"
    assert execution["output"] == {
        "event_id": EVENT_ID,
        "outcome": "failed",
        "failed_step": step,
        "error": error.__name__,
    }
    assert states_of(execution)[-1] == "DeadLettered"
    assert workflow.calls_of(step) == 1
    assert waiting(workflow) == (0, 0)
    [letter] = dead_letters(workflow)
    assert json.loads(letter["Body"]) == ENVELOPE
    assert letter["Attributes"]["MessageDeduplicationId"] == record["messageId"]
    assert letter["Attributes"]["MessageGroupId"] == record["attributes"]["MessageGroupId"]
    assert status_of(EVENT_ID)["status"] == "FAILED"
    assert status_of(EVENT_ID)["error_name"] == error.__name__
    assert status_of(EVENT_ID)["failed_step"] == step


@pytest.mark.parametrize(
    ("step", "error_name"),
    [
        *[
            (step, "DependencyUnavailableError")
            for step in ("ParseMessage", "TrackEncounter", "LookupIdentities")
        ],
        ("LookupIdentities", "UnexpectedError"),
    ],
)
def test_any_other_error_leaves_the_message_on_the_queue(
    workflow: DeployedWorkflow, step: str, error_name: str
) -> None:
    workflow.steps[step] = failing(error_name, 99, deliver)
    execution = workflow.run(workflow.send(ENVELOPE))
    assert execution["status"] == "FAILED"
    assert dead_letters(workflow) == []
    assert waiting(workflow) == (0, 1)
    assert status_of(EVENT_ID)["error_name"] == error_name


@pytest.mark.parametrize(("receives", "soon"), [("1", True), ("3", True), ("4", False)])
def test_the_first_receives_return_the_message_within_a_minute(
    workflow: DeployedWorkflow, receives: str, soon: bool
) -> None:
    workflow.steps["LookupIdentities"] = failing("UnexpectedError", 99, deliver)
    record = workflow.send(ENVELOPE)
    record["attributes"]["ApproximateReceiveCount"] = receives
    changed: list[int] = []
    original = SQSBackend.change_message_visibility

    def watch(
        self: SQSBackend, queue_name: str, receipt_handle: str, visibility_timeout: int
    ) -> None:
        changed.append(int(visibility_timeout))
        original(self, queue_name, receipt_handle, visibility_timeout)

    with patch.object(SQSBackend, "change_message_visibility", watch):
        workflow.run(record)
    assert changed == ([60] if soon else [])


def test_a_duplicate_is_one_for_its_encounter_too(workflow: DeployedWorkflow) -> None:
    duplicate = {**PARSED, "duplicate": True, "notifiable": False}
    workflow.steps["ParseMessage"] = lambda _: duplicate
    workflow.steps["TrackEncounter"] = lambda task: {**PARSED, "notifiable": not task["duplicate"]}
    assert workflow.run(workflow.send(ENVELOPE))["status"] == "SUCCEEDED"
    assert workflow.calls_of("LookupIdentities") == 0
    assert status_of(EVENT_ID)["status"] == "COMPLETED"


def test_an_event_that_tells_nobody_ends_well_after_its_encounter_knows_it(
    workflow: DeployedWorkflow,
) -> None:
    workflow.steps["TrackEncounter"] = lambda _: {**PARSED, "notifiable": False}
    assert workflow.run(workflow.send(ENVELOPE))["status"] == "SUCCEEDED"
    assert workflow.calls_of("LookupIdentities") == 0
    assert status_of(EVENT_ID)["status"] == "COMPLETED"


@pytest.mark.parametrize(("backend", "asked"), [("registry", 0), ("pixpdq", 1), ("fhir", 1)])
def test_a_change_of_identity_reaches_the_look_up_where_an_index_outside_is_asked(
    make_workflow: Callable[..., DeployedWorkflow], backend: str, asked: int
) -> None:
    workflow = make_workflow(mpi_client=backend)
    workflow.steps["TrackEncounter"] = lambda _: {
        **PARSED,
        "notifiable": False,
        "changes_identity": True,
    }
    workflow.steps["LookupIdentities"] = lambda _: {"recipient_count": 0, "recipients": []}
    assert workflow.run(workflow.send(ENVELOPE))["status"] == "SUCCEEDED"
    assert workflow.calls_of("LookupIdentities") == asked
    assert workflow.calls_of("ExtractEntities") == 0
    assert status_of(EVENT_ID)["status"] == "COMPLETED"


def test_an_event_without_recipients_ends_well_and_asks_no_machine(
    workflow: DeployedWorkflow,
) -> None:
    nobody = {"patient_ref": "k1.p", "recipient_count": 0, "recipients": [], "version_id": "2"}
    workflow.steps["LookupIdentities"] = lambda _: nobody
    assert workflow.run(workflow.send(ENVELOPE))["status"] == "SUCCEEDED"
    assert workflow.calls_of("ExtractEntities") == 0


@pytest.mark.parametrize(
    ("policy", "end"), [("end", "CompleteEvent"), ("dead_letter", "DeadLettered")]
)
def test_an_unknown_patient_ends_as_the_environment_says(
    make_workflow: Callable[..., DeployedWorkflow], policy: str, end: str
) -> None:
    workflow = make_workflow(unknown_patient=policy)
    workflow.steps["LookupIdentities"] = failing("IdentityNotFoundError", 99, deliver)
    execution = workflow.run(workflow.send(ENVELOPE))
    assert execution["status"] == "SUCCEEDED"
    assert states_of(execution)[-1] == end
    assert len(dead_letters(workflow)) == (1 if policy == "dead_letter" else 0)


@pytest.mark.parametrize(("receives", "held"), [("1", True), ("2", True), ("3", False)])
def test_an_unknown_patient_is_held_for_as_many_minutes_as_the_environment_says(
    make_workflow: Callable[..., DeployedWorkflow], receives: str, held: bool
) -> None:
    workflow = make_workflow(unknown_patient="hold")
    workflow.steps["LookupIdentities"] = failing("IdentityNotFoundError", 99, deliver)
    record = workflow.send(ENVELOPE)
    record["attributes"]["ApproximateReceiveCount"] = receives
    execution = workflow.run(record)
    assert execution["status"] == ("FAILED" if held else "SUCCEEDED")
    assert status_of(EVENT_ID)["error_name"] == "IdentityNotFoundError"
    assert len(dead_letters(workflow)) == (0 if held else 1)
    assert waiting(workflow) == ((0, 1) if held else (0, 0))


@pytest.mark.parametrize("error_name", ["IdentityAmbiguousError", "ConfigurationError"])
def test_only_an_unknown_patient_is_held(
    make_workflow: Callable[..., DeployedWorkflow], error_name: str
) -> None:
    workflow = make_workflow(unknown_patient="hold")
    workflow.steps["LookupIdentities"] = failing(error_name, 99, deliver)
    workflow.run(workflow.send(ENVELOPE))
    assert len(dead_letters(workflow)) == 1


@pytest.mark.parametrize("error_name", ["DependencyUnavailableError", "UnexpectedError", *DIED])
def test_the_notification_goes_out_without_the_clinical_step(
    workflow: DeployedWorkflow, error_name: str
) -> None:
    workflow.steps["ExtractEntities"] = failing(error_name, 99, deliver)
    execution = workflow.run(workflow.send(ENVELOPE))
    assert execution["status"] == "SUCCEEDED"
    told = [task for name, task in workflow.tasks if name == "DeliverNotification"]
    nothing = {"outcome": "unavailable", "unanswered": 0, "version_id": ""}
    assert [task["clinical"] for task in told] == [nothing] * 2


def one_bad(error_name: str) -> Callable[[dict[str, object]], dict[str, object]]:
    def step(task: dict[str, object]) -> dict[str, object]:
        if task["recipient_ref"] == "k1.a":
            raise PlatformError(error_name)
        return deliver(task)

    return step


def test_a_refused_recipient_does_not_stop_the_other_and_the_event_completes(
    workflow: DeployedWorkflow,
) -> None:
    workflow.steps["DeliverNotification"] = one_bad("DeliveryRefusedError")
    execution = workflow.run(workflow.send(ENVELOPE))
    assert execution["status"] == "SUCCEEDED"
    outcomes = execution["output"]["deliveries"]["outcomes"]
    assert [o["outcome"] for o in outcomes] == ["refused", "sent"]


def test_a_failed_recipient_does_not_stop_the_other_and_the_message_comes_back(
    workflow: DeployedWorkflow,
) -> None:
    workflow.steps["DeliverNotification"] = one_bad("UnexpectedError")
    execution = workflow.run(workflow.send(ENVELOPE))
    assert execution["status"] == "FAILED"
    assert execution["error"] == "DeliverAll.DeliveryFailed"
    assert json.loads(execution["cause"])[1] == {
        "recipient_ref": "k1.b",
        "outcome": "sent",
        "delivery_id": "d",
    }
    assert dead_letters(workflow) == []
    assert waiting(workflow) == (0, 1)


UNWELL = {
    "Error": {"Code": "InternalServerError", "Message": "not now"},
    "ResponseMetadata": {"HTTPStatusCode": 500, "RequestId": "r"},
}


class Broken:
    """Makes a moto backend's method answer 500 a number of times."""

    def __init__(self, backend: type, method: str, times: int) -> None:
        self.patch = patch.object(backend, method, broken(getattr(backend, method), times))


class BrokenTransactions:
    """Makes DynamoDB's transactions answer 500 a number of times."""

    def __init__(self, times: int) -> None:
        name = "TransactWriteItems"
        self.patch = patch.dict(CALLS, {name: broken(CALLS[name], times)})


def broken(call: Callable[..., Any], times: int) -> Callable[..., Any]:
    """`call`, answering 500 so often."""
    left = times

    def fails(*args: object, **named: object) -> object:
        nonlocal left
        if left:
            left -= 1
            raise ClientError(UNWELL, call.__name__)
        return call(*args, **named)

    return fails


def test_completing_is_retried_when_the_table_has_a_moment(workflow: DeployedWorkflow) -> None:
    record = workflow.send(ENVELOPE)
    with BrokenTransactions(2).patch:
        assert workflow.run(record)["status"] == "SUCCEEDED"
    assert status_of(EVENT_ID)["status"] == "COMPLETED"


def test_an_event_that_cannot_be_completed_is_recorded_as_failed_and_comes_back(
    workflow: DeployedWorkflow,
) -> None:
    record = workflow.send(ENVELOPE)
    with BrokenTransactions(3).patch:
        execution = workflow.run(record)
    assert execution["status"] == "FAILED"
    assert execution["error"].startswith("CompleteEvent.")
    assert status_of(EVENT_ID)["failed_step"] == "CompleteEvent"
    assert waiting(workflow) == (0, 1)


def test_a_failure_that_cannot_be_recorded_leaves_the_message_on_the_queue(
    workflow: DeployedWorkflow,
) -> None:
    workflow.steps["ParseMessage"] = failing("UnprocessableMessageError", 99, deliver)
    record = workflow.send(ENVELOPE)
    with BrokenTransactions(99).patch:
        assert workflow.run(record)["status"] == "FAILED"
    assert dead_letters(workflow) == [], "an operator would find it there without a reason"
    assert waiting(workflow) == (0, 1)


def test_a_dead_letter_that_cannot_be_written_stays_on_the_queue(
    workflow: DeployedWorkflow,
) -> None:
    workflow.steps["ParseMessage"] = failing("UnprocessableMessageError", 99, deliver)
    record = workflow.send(ENVELOPE)
    with Broken(SQSBackend, "send_message", 99).patch:
        assert workflow.run(record)["status"] == "FAILED"
    assert waiting(workflow) == (0, 1)


def test_a_message_that_cannot_be_returned_soon_comes_back_after_its_visibility(
    workflow: DeployedWorkflow,
) -> None:
    workflow.steps["LookupIdentities"] = failing("UnexpectedError", 99, deliver)
    record = workflow.send(ENVELOPE)
    with Broken(SQSBackend, "change_message_visibility", 99).patch:
        execution = workflow.run(record)
    assert execution["error"] == "LookupIdentities.UnexpectedError"
    assert waiting(workflow) == (0, 1)


def test_every_task_says_which_execution_and_attempt_it_is(workflow: DeployedWorkflow) -> None:
    execution = workflow.run(workflow.send(ENVELOPE))
    assert {task["execution_arn"] for _, task in workflow.tasks} == {execution["executionArn"]}
    assert {task["attempt"] for _, task in workflow.tasks} == {0}


def test_in_a_burst_the_workflow_waits_for_the_turn_and_asks_again_with_it(
    workflow: DeployedWorkflow,
) -> None:
    answers = iter(
        [{"outcome": "deferred", "turn": 1_800_000_000_250, "wait_seconds": 1}, CLINICAL]
    )
    workflow.steps["ExtractEntities"] = lambda _: next(answers)
    execution = workflow.run(workflow.send(ENVELOPE))
    assert execution["status"] == "SUCCEEDED"
    assert states_of(execution).count("AwaitTurn") == 1
    asked = [task for name, task in workflow.tasks if name == "ExtractEntities"]
    assert [task["turn"] for task in asked] == [0, 1_800_000_000_250]
    assert len({task["started_at"] for task in asked}) == 1, "the wait counts from the start"
    told = [task for name, task in workflow.tasks if name == "DeliverNotification"]
    read = {name: CLINICAL[name] for name in ("outcome", "unanswered", "version_id")}
    assert [task["clinical"] for task in told] == [read] * 2


def test_where_lambda_has_no_concurrency_left_the_clinical_step_is_tried_for_half_a_minute(
    workflow: DeployedWorkflow,
) -> None:
    workflow.steps["ExtractEntities"] = failing(
        "Lambda.TooManyRequestsException", 5, workflow.steps["ExtractEntities"]
    )
    execution = workflow.run(workflow.send(ENVELOPE))
    assert execution["output"]["clinical"] == CLINICAL
    assert workflow.calls_of("ExtractEntities") == 6


def test_what_the_pipe_reads_of_a_good_execution_names_no_private_value(
    workflow: DeployedWorkflow,
) -> None:
    """The output of an execution goes to the pipe and, where it is logged, to the log."""
    output = workflow.run(workflow.send(ENVELOPE))["output"]
    assert set(output) == {
        "event",
        "receive_count",
        "policy",
        "identities",
        "clinical",
        "deliveries",
    }
