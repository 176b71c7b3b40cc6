"""Runs the state machine's file in moto, with any callable behind each of its Lambda functions."""

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
from moto.awslambda.models import LambdaBackend
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl

from local.patches.additions import execution_ends

ASL_FILE = Path(__file__).resolve().parents[2] / "statemachine" / "patient_event.asl.json"
STEPS = (
    *("ParseMessage", "TrackEncounter", "LookupIdentities"),
    *("ExtractEntities", "DeliverNotification"),
)
ACCOUNT = "123456789012"

EXECUTION_SECONDS = 240.0
"""How long an execution may take; less than a test's timeout."""

Step = Callable[[dict[str, Any]], Any]


def definition(file: Path = ASL_FILE, **substitutions: str) -> str:
    """The file's text with its `${…}` replaced; a name left over is a `KeyError`."""
    values = {f"{name}Arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}" for name in STEPS}
    values.update(substitutions)
    return re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], file.read_text())


class PlatformError(Exception):
    """A function's failure as Lambda reports it: an error name such as `Sandbox.Timedout`."""

    def __init__(self, error_name: str) -> None:
        super().__init__(error_name)
        self.error_name = error_name


class DeployedWorkflow:
    """The deployed machine with its two queues; `invocations` lists (step, attempt) as they came."""

    def __init__(
        self,
        unknown_patient: str = "dead_letter",
        mpi_client: str = "registry",
        definition_file: Path = ASL_FILE,
    ) -> None:
        sqs = boto3.client("sqs")
        fifo = {"FifoQueue": "true", "VisibilityTimeout": "720"}
        self.dead_letter_url = sqs.create_queue(QueueName="dead.fifo", Attributes=fifo)["QueueUrl"]
        self.queue_url = sqs.create_queue(QueueName="events.fifo", Attributes=fifo)["QueueUrl"]
        self.steps: dict[str, Step] = {}
        self.invocations: list[tuple[str, int]] = []
        self.tasks: list[tuple[str, dict[str, Any]]] = []
        self.waits: list[float] = []
        self.machine_arn = boto3.client("stepfunctions").create_state_machine(
            name="patient-event",
            type="EXPRESS",
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/workflow",
            definition=definition(
                definition_file,
                AuditTable="audit",
                StatusTable="status",
                QueueUrl=self.queue_url,
                DeadLetterQueueUrl=self.dead_letter_url,
                UnknownPatient=unknown_patient,
                HoldMinutes="2",
                MpiClient=mpi_client,
            ),
        )["stateMachineArn"]

    def send(self, envelope: dict[str, Any], group_id: str = "k1.group") -> dict[str, Any]:
        """Queues the envelope and receives it as the pipe would: one SQS record."""
        sqs = boto3.client("sqs")
        sqs.send_message(
            QueueUrl=self.queue_url,
            MessageBody=json.dumps(envelope),
            MessageGroupId=group_id,
            MessageDeduplicationId=uuid.uuid4().hex,
        )
        return self.receive()

    def receive(self) -> dict[str, Any]:
        """The next message of the queue in the shape that the pipe hands over."""
        message = boto3.client("sqs").receive_message(
            QueueUrl=self.queue_url, AttributeNames=["All"], WaitTimeSeconds=1
        )["Messages"][0]
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "eventSource": "aws:sqs",
        }

    def run(self, record: dict[str, Any]) -> dict[str, Any]:
        """Executes the machine on one record and returns DescribeExecution's answer, output parsed."""
        stepfunctions = boto3.client("stepfunctions")
        with (
            patch.object(LambdaBackend, "invoke", self._invoke),
            patch.object(retrier_decl, "time", SimpleNamespace(sleep=self.waits.append)),
        ):
            arn = stepfunctions.start_execution(
                stateMachineArn=self.machine_arn,
                name=f"run-{uuid.uuid4().hex}",
                input=json.dumps([record]),
            )["executionArn"]
            assert execution_ends.wait(arn, EXECUTION_SECONDS), f"{arn} did not end"
            execution = stepfunctions.describe_execution(executionArn=arn)
        if execution["status"] == "SUCCEEDED":
            # As the pipe does; a failed execution leaves the message to its visibility timeout.
            boto3.client("sqs").delete_message(
                QueueUrl=self.queue_url, ReceiptHandle=record["receiptHandle"]
            )
            execution["output"] = json.loads(execution["output"])
        return dict(execution)

    def calls_of(self, step: str) -> int:
        """The number of a step's invocations."""
        return sum(1 for name, _ in self.invocations if name == step)

    def _invoke(self, *arguments: Any, **named: Any) -> bytes:
        # moto calls it as (backend, function_name, qualifier, body, headers, response_headers).
        values = dict(
            zip(
                ("function_name", "qualifier", "body", "headers", "response_headers"),
                arguments[-5:],
                strict=False,
            )
        )
        values.update(named)
        step = values["function_name"].rsplit(":", 1)[-1]
        task = json.loads(values["body"])
        self.invocations.append((step, task["attempt"]))
        self.tasks.append((step, task))
        try:
            payload = self.steps[step](task)
        except Exception as error:
            values["response_headers"]["x-amz-function-error"] = "Unhandled"
            name = error.error_name if isinstance(error, PlatformError) else type(error).__name__
            payload = {"errorType": name, "errorMessage": str(error), "stackTrace": []}
        return json.dumps(payload).encode()
