"""`ens smoke --in-vpc`: the one-off task is started as ECS wants it, and its log is read."""

import base64
import json
import lzma
from typing import Any

import pytest
from click.testing import CliRunner

from environments import load
from hl7.acknowledgement import ReceivedAcknowledgement
from ops.cli import main
from ops.problem import ProblemError
from ops.smoke import task
from ops.smoke.probes import new_run, probes
from ops.smoke.task import OneOffTask, packed
from tests.support.stubbed import StubbedClients

ID = "0123456789abcdef0123456789abcdef"
CLUSTER = "hl7-ens-prod"
ARN = f"arn:aws:ecs:us-east-1:111122223333:task/{CLUSTER}/{ID}"
OUTPUTS = {
    "SmokeCluster": CLUSTER,
    "SmokeTaskDefinition": "hl7-ens-prod-smoke",
    "SmokeSubnets": "subnet-1,subnet-2",
    "SmokeSecurityGroup": "sg-1",
    "SmokeLogGroup": "/ecs/hl7-ens-prod-smoke",
}
STREAM = {
    "logGroupName": "/ecs/hl7-ens-prod-smoke",
    "logStreamName": f"smoke/smoke/{ID}",
    "startFromHead": True,
}
PROBES = probes(load("prod"), new_run())


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> StubbedClients:
    monkeypatch.setattr(task, "LOG_SECONDS", 0.01)
    return StubbedClients()


def started(answers: StubbedClients) -> dict[str, Any]:
    """Prepares a task that starts; returns what RunTask must be asked."""
    asked = {
        "cluster": CLUSTER,
        "taskDefinition": "hl7-ens-prod-smoke",
        "launchType": "FARGATE",
        "count": 1,
        "startedBy": "ens-smoke",
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": ["subnet-1", "subnet-2"],
                "securityGroups": ["sg-1"],
                "assignPublicIp": "DISABLED",
            }
        },
        "overrides": {
            "containerOverrides": [
                {
                    "name": "smoke",
                    "environment": [{"name": "ENS_SMOKE_MESSAGES", "value": packed(PROBES)}],
                }
            ]
        },
    }
    answers.give("ecs", "run_task", {"tasks": [{"taskArn": ARN}], "failures": []}, asked)
    return asked


def in_state(answers: StubbedClients, status: str, **facts: Any) -> None:
    asked = {"cluster": CLUSTER, "tasks": [ARN]}
    found = {"taskArn": ARN, "lastStatus": status, **facts}
    answers.give("ecs", "describe_tasks", {"tasks": [found]}, asked)


def logged(answers: StubbedClients, *lines: str) -> None:
    events = [{"timestamp": 1, "message": line} for line in lines]
    answers.give("logs", "get_log_events", {"events": events}, STREAM)


def run(
    answers: StubbedClients, waited: list[int] | None = None
) -> dict[str, ReceivedAcknowledgement]:
    seen = waited if waited is not None else []
    way = OneOffTask(OUTPUTS, answers.client("ecs"), answers.client("logs"), poll_seconds=0)
    return way.send(PROBES, lambda: seen.append(1))


def line(name: str, code: str) -> str:
    answer = f"MSH|^~\\&|R|R|S|S|20261126||ACK|1|P|2.5\rMSA|{code}|1\r"
    return json.dumps({"probe": name, "answer": answer})


def test_the_acknowledgements_are_read_from_the_tasks_log(answers: StubbedClients) -> None:
    started(answers)
    for status in ("PENDING", "RUNNING", "STOPPED"):
        in_state(answers, status)
    logged(
        answers,
        line("good", "AA"),
        line("poison", "AR"),
        json.dumps({"probe": "slow", "error": "TLS: certificate has expired"}),
    )
    waited: list[int] = []
    found = run(answers, waited)
    assert {name: answer.code for name, answer in found.items()} == {
        "good": "AA",
        "poison": "AR",
        "slow": "",
    }
    assert found["slow"].text == "TLS: certificate has expired"
    assert len(waited) == 2, "the dead-letter queue is swept while the task runs"


def test_a_task_that_does_not_start_shows_what_ecs_says(answers: StubbedClients) -> None:
    failure = {"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time"}]}
    answers.give("ecs", "run_task", failure)
    with pytest.raises(ProblemError, match="Capacity is unavailable"):
        run(answers)


def test_a_task_without_a_log_shows_why_it_stopped(answers: StubbedClients) -> None:
    started(answers)
    container = {"name": "smoke", "reason": "CannotPullContainerError: not found"}
    in_state(answers, "STOPPED", containers=[container])
    for _ in range(1000):
        answers.refuse("logs", "get_log_events", "ResourceNotFoundException")
    with pytest.raises(ProblemError, match="CannotPullContainerError"):
        run(answers)


def test_lines_that_are_not_the_clients_are_skipped(answers: StubbedClients) -> None:
    started(answers)
    in_state(answers, "STOPPED")
    logged(
        answers,
        "Traceback (most recent call last):",
        line("good", "AA"),
        line("poison", "AA"),
        line("slow", "AA"),
    )
    assert set(run(answers)) == {"good", "poison", "slow"}


def test_a_stack_of_an_older_version_is_one_sentence() -> None:
    with pytest.raises(ProblemError, match="SmokeCluster"):
        OneOffTask({"ReceiverAddress": "x:17000"}, None, None)


def test_the_messages_fit_into_what_run_task_takes_and_come_out_as_they_were() -> None:
    text = packed(PROBES)
    # RunTask: "Container Overrides length must be at most 8192".
    assert len(text) < 8000
    document = json.loads(lzma.decompress(base64.b64decode(text)))
    assert [one["message"].encode() for one in document] == [p.message.body for p in PROBES]


def test_address_and_tls_are_the_deployments_own() -> None:
    result = CliRunner().invoke(main, ["--env", "dev", "smoke", "--in-vpc", "--host", "x"])
    assert (result.exit_code, "uses the deployment's address" in result.output) == (2, True)
