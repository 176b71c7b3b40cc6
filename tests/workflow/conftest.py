"""The machine with healthy stand-ins behind its functions; a test breaks the one it is about."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from lambdas.common.aws.items import from_item
from lambdas.delivery.ledger.context import LedgerContext
from tests.support.comprehend_medical import serving
from tests.support.workflow import DeployedWorkflow, PlatformError, Step
from tests.workflow.real import whole_workflow

ENVELOPE = {
    "event_id": "e0000000000000000000000000000001",
    "bucket": "vault",
    "key": "events/e0000000000000000000000000000001/message.hl7",
    "version_id": "v1",
    "digest": "k1." + "0" * 32,
    "bytes": 1234,
    "received_at": "2026-11-23T09:15:02.113Z",
    "receiver": "task",
    "connection": "c1",
    "sender": "northgen",
}
PARSED = {
    "event_id": ENVELOPE["event_id"],
    "sender": ENVELOPE["sender"],
    "received_at": ENVELOPE["received_at"],
    "encounter_ref": "k1.e",
    "event_kind": "admission",
    "duplicate": False,
    "notifiable": True,
    "changes_identity": False,
    "version_id": "1",
}
RECIPIENTS = [
    {"recipient_ref": "k1.a", "second": False},
    {"recipient_ref": "k1.b", "second": False},
]
IDENTITIES = {
    "patient_ref": "k1.p",
    "recipient_count": 2,
    "recipients": RECIPIENTS,
    "version_id": "2",
}
CLINICAL = {
    "outcome": "extracted",
    "conditions": 1,
    "medications": 1,
    "unanswered": 0,
    "version_id": "3",
}


def deliver(task: dict[str, Any]) -> dict[str, Any]:
    """The result of a successful delivery."""
    return {"recipient_ref": task["recipient_ref"], "outcome": "sent", "delivery_id": "d"}


@pytest.fixture(scope="session")
def comprehend_address() -> Iterator[str]:
    """The URL of one Comprehend Medical stand-in for all tests of this folder."""
    with serving() as address:
        yield address


@pytest.fixture
def whole(
    context: LedgerContext, comprehend_address: str, monkeypatch: pytest.MonkeyPatch
) -> DeployedWorkflow:
    """The workflow with its real handlers."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_COMPREHENDMEDICAL", comprehend_address)
    return whole_workflow(clients=context.clients)


@pytest.fixture
def make_workflow(aws: Any) -> Callable[..., DeployedWorkflow]:
    """Makes a workflow whose steps all answer well."""

    def make(**settings: Any) -> DeployedWorkflow:
        workflow = DeployedWorkflow(**settings)
        workflow.steps = {
            "ParseMessage": lambda _: PARSED,
            "TrackEncounter": lambda _: PARSED,
            "LookupIdentities": lambda _: IDENTITIES,
            "ExtractEntities": lambda _: CLINICAL,
            "DeliverNotification": deliver,
        }
        return workflow

    return make


@pytest.fixture
def workflow(make_workflow: Callable[..., DeployedWorkflow]) -> DeployedWorkflow:
    """A workflow whose steps all answer well."""
    return make_workflow()


def failing(error_name: str, times: int, then: Step) -> Step:
    """A step that ends with `error_name` so many times (for each recipient), and then works."""
    failed: Counter[str] = Counter()

    def step(task: dict[str, Any]) -> Any:
        recipient = task.get("recipient_ref", "")
        if failed[recipient] < times:
            failed[recipient] += 1
            raise PlatformError(error_name)
        return then(task)

    return step


def states_of(execution: dict[str, Any]) -> list[str]:
    """The names of the states that an execution entered, in order."""
    events = boto3.client("stepfunctions").get_execution_history(
        executionArn=execution["executionArn"], maxResults=1000
    )["events"]
    return [e["stateEnteredEventDetails"]["name"] for e in events if "Entered" in e["type"]]


def status_of(event_id: str) -> dict[str, Any]:
    """The event's status item, plain."""
    item = boto3.client("dynamodb").get_item(TableName="status", Key={"event_id": {"S": event_id}})
    return from_item(item.get("Item", {}))


def dead_letters(workflow: DeployedWorkflow) -> list[dict[str, Any]]:
    """The messages of the dead-letter queue."""
    found = boto3.client("sqs").receive_message(
        QueueUrl=workflow.dead_letter_url, MaxNumberOfMessages=10, AttributeNames=["All"]
    )
    return list(found.get("Messages", []))


def waiting(workflow: DeployedWorkflow) -> tuple[int, int]:
    """The numbers of visible messages and messages in flight of the source queue."""
    attributes = boto3.client("sqs").get_queue_attributes(
        QueueUrl=workflow.queue_url, AttributeNames=["All"]
    )["Attributes"]
    return (
        int(attributes["ApproximateNumberOfMessages"]),
        int(attributes["ApproximateNumberOfMessagesNotVisible"]),
    )
