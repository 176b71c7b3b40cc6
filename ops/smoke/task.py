"""Sends the probes from a one-off Fargate task in the VPC, and reads the acknowledgements from its log.

The load balancer is internal: only the VPC and its VPNs reach it. The task runs the receiver's image
with another command (receiver/smoke_client.py) and a role without permissions.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
"""

import base64
import json
import lzma
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hl7.acknowledgement import ReceivedAcknowledgement, read_answer
from ops.aws_calls import if_exists
from ops.problem import ProblemError
from ops.smoke.probes import Probe

CONTAINER = "smoke"
MESSAGES = "ENS_SMOKE_MESSAGES"
MAX_OVERRIDE_CHARACTERS = 8192
"""The longest container overrides of RunTask, as JSON."""

TASK_SECONDS = 240.0
"""Two minutes for the start of a Fargate task, and the client's timeout of 30 s a message."""

LOG_SECONDS = 30.0
POLL_SECONDS = 2.0

OUTPUTS = (
    "SmokeCluster",
    "SmokeTaskDefinition",
    "SmokeSubnets",
    "SmokeSecurityGroup",
    "SmokeLogGroup",
)


class OneOffTask:
    """Sends the probes from a Fargate task. `outputs` are those of the ingress stack.

    `ecs` and `logs` are boto3 clients. Raises `ProblemError` when an output is missing.
    """

    def __init__(
        self, outputs: Mapping[str, str], ecs: Any, logs: Any, *, poll_seconds: float = POLL_SECONDS
    ) -> None:
        missing = [name for name in OUTPUTS if name not in outputs]
        if missing:
            raise ProblemError(
                f"The ingress stack has no output {', '.join(missing)}:"
                " deploy this version of hl7-ens first."
            )
        self._outputs = outputs
        self._poll_seconds = poll_seconds
        self._ecs, self._logs = ecs, logs

    def send(
        self, probes: Sequence[Probe], while_waiting: Callable[[], object]
    ) -> dict[str, ReceivedAcknowledgement]:
        """Returns the acknowledgements by probe name after the task has ended.

        Calls `while_waiting` at each poll. Raises `ProblemError` when the task does not start, does not
        end in time, or logs no result.
        """
        task = self._start(packed(probes))
        stopped = self._wait(task, while_waiting)
        lines = self._log(task.rpartition("/")[2], len(probes))
        if not lines:
            raise ProblemError(f"The smoke task ended without an answer: {_reason(stopped)}")
        return {line["probe"]: _acknowledgement(line) for line in lines}

    def _start(self, messages: str) -> str:
        """The ARN of the task."""
        overrides = {
            "containerOverrides": [
                {"name": CONTAINER, "environment": [{"name": MESSAGES, "value": messages}]}
            ]
        }
        if len(json.dumps(overrides)) > MAX_OVERRIDE_CHARACTERS:
            raise ProblemError(
                f"The smoke messages exceed RunTask's {MAX_OVERRIDE_CHARACTERS} characters."
            )
        answer = self._ecs.run_task(
            cluster=self._outputs["SmokeCluster"],
            taskDefinition=self._outputs["SmokeTaskDefinition"],
            launchType="FARGATE",
            count=1,
            startedBy="ens-smoke",
            networkConfiguration={
                "awsvpcConfiguration": {
                    "subnets": self._outputs["SmokeSubnets"].split(","),
                    "securityGroups": [self._outputs["SmokeSecurityGroup"]],
                    "assignPublicIp": "DISABLED",
                }
            },
            overrides=overrides,
        )
        if answer.get("failures"):
            reason = answer["failures"][0].get("reason", "no reason given")
            raise ProblemError(f"ECS did not start the smoke task ({reason}).")
        arn: str = answer["tasks"][0]["taskArn"]
        return arn

    def _wait(self, task: str, while_waiting: Callable[[], object]) -> dict[str, Any]:
        """The stopped task, as DescribeTasks returns it."""
        deadline = time.monotonic() + TASK_SECONDS
        while time.monotonic() < deadline:
            answer = self._ecs.describe_tasks(cluster=self._outputs["SmokeCluster"], tasks=[task])
            for found in answer["tasks"]:
                if found["lastStatus"] == "STOPPED":
                    stopped: dict[str, Any] = found
                    return stopped
            while_waiting()
            time.sleep(self._poll_seconds)
        raise ProblemError(
            f"The smoke task did not end within {TASK_SECONDS:.0f} s. Its state:"
            f" aws ecs describe-tasks --cluster {self._outputs['SmokeCluster']} --tasks {task}"
        )

    def _log(self, task_id: str, wanted: int) -> list[dict[str, str]]:
        """The client's JSON lines. CloudWatch Logs returns them seconds after they were written."""
        lines: list[dict[str, str]] = []
        deadline = time.monotonic() + LOG_SECONDS
        while len(lines) < wanted and time.monotonic() < deadline:
            answer: Any = if_exists(
                self._logs.get_log_events,
                "ResourceNotFoundException",
                logGroupName=self._outputs["SmokeLogGroup"],
                logStreamName=f"{CONTAINER}/{CONTAINER}/{task_id}",
                startFromHead=True,
            )
            events = answer["events"] if answer else []
            lines = [line for event in events if (line := _line(event["message"]))]
            if len(lines) < wanted:
                time.sleep(self._poll_seconds)
        return lines


def packed(probes: Sequence[Probe]) -> str:
    """Returns the value of the client's variable: JSON, compressed with LZMA, in base64."""
    document = [{"probe": p.name, "message": p.message.body.decode("ascii")} for p in probes]
    return base64.b64encode(lzma.compress(json.dumps(document).encode())).decode("ascii")


def _line(text: str) -> dict[str, str] | None:
    """A result line of the client, None for another line, such as a traceback."""
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and "probe" in line else None


def _acknowledgement(line: dict[str, str]) -> ReceivedAcknowledgement:
    if "answer" not in line:
        return ReceivedAcknowledgement("", line.get("error", "no answer"))
    return read_answer(line["answer"].encode("utf-8", "replace"))


def _reason(task: dict[str, Any]) -> str:
    """The reason why a task stopped: the container's, else the task's."""
    containers = task.get("containers") or [{}]
    reason = containers[0].get("reason") or task.get("stoppedReason") or "no reason given"
    code = containers[0].get("exitCode")
    return f"{reason} (exit code {code if code is not None else 'none'})."
