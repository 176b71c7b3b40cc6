"""The workflow with its real handlers: registry seeded, Comprehend Medical's stand-in on loopback."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from typing import Any, TypeVar

import boto3
import pytest
from moto.ses.models import ses_backends

from environments import load
from lambdas.common.aws.clients import Clients
from lambdas.common.contracts.workflow.tasks import StepInput
from lambdas.common.function import handler as handlers
from lambdas.common.function.context import Context
from lambdas.deliver_notification.handler import lambda_handler as deliver_notification
from lambdas.delivery.context import DeliveryContext, DeliverySettings
from lambdas.encounters.context import EncountersContext, EncountersSettings
from lambdas.extract_entities.context import ExtractContext, ExtractSettings
from lambdas.extract_entities.handler import lambda_handler as extract_entities
from lambdas.lookup_identities.context import LookupContext, LookupSettings
from lambdas.lookup_identities.handler import lambda_handler as lookup_identities
from lambdas.parse_message.context import ParseContext, ParseSettings
from lambdas.parse_message.handler import lambda_handler as parse_message
from lambdas.track_encounter.handler import lambda_handler as track_encounter
from tests.conftest import bind_environment, mocked_aws
from tests.support import configuration
from tests.support.comprehend_medical import serving
from tests.support.deployment import deployed
from tests.support.feed_system import FeedSystem
from tests.support.registry import seed_registry
from tests.support.workflow import ACCOUNT, DeployedWorkflow, PlatformError, Step

C = TypeVar("C", bound=Context)
T = TypeVar("T", bound=StepInput)
F = TypeVar("F", bound=FeedSystem)


def sandboxed(handler: handlers.StepHandler[T, C], context: C) -> Step:
    """A handler that runs one invocation at a time, as a Lambda sandbox does."""
    turn = threading.Lock()
    invoked = handler.with_context(context)

    def invoke(task: dict[str, Any]) -> Any:
        with turn:
            return invoked(task, None)

    return invoke


def functions(clients: Clients | None = None) -> dict[str, Step]:
    """The handlers in fresh sandboxes, by state, with the same clients and environment variables."""
    shared = clients or Clients()
    parsing = ParseContext(ParseSettings.from_environment(), shared)
    tracking = EncountersContext(EncountersSettings.from_environment(), shared)
    lookup = LookupContext(LookupSettings.from_environment(), shared)
    extracting = ExtractContext(ExtractSettings.from_environment(), shared)
    delivery = DeliveryContext(DeliverySettings.from_environment(), shared)
    return {
        "ParseMessage": sandboxed(parse_message, parsing),
        "TrackEncounter": sandboxed(track_encounter, tracking),
        "LookupIdentities": sandboxed(lookup_identities, lookup),
        "ExtractEntities": sandboxed(extract_entities, extracting),
        "DeliverNotification": sandboxed(deliver_notification, delivery),
    }


def whole_workflow(clients: Clients | None = None) -> DeployedWorkflow:
    """A workflow of the real handlers over a registry that holds the local system's seeds."""
    seed_registry()
    workflow = DeployedWorkflow()
    workflow.steps = functions(clients)
    return workflow


@contextmanager
def feed_system(
    system: type[F], change: Callable[[dict[str, Any]], None] = lambda _: None
) -> Iterator[F]:
    """A feed system of the real handlers with stores of its own, while the block runs.

    `change` edits the local system's configuration document before it is deployed.
    """
    with pytest.MonkeyPatch.context() as patch, serving() as comprehend_medical:
        bind_environment(patch)
        patch.setenv("AWS_ENDPOINT_URL_COMPREHENDMEDICAL", comprehend_medical)
        with mocked_aws(patch):
            content = json.loads(load("local").configuration())
            change(content)
            document = json.dumps(content)
            configuration.deploy(document, patch)
            yield system(deployed(boto3), document, functions())


def dying(step: Step, *, after: bool, times: int) -> Step:
    """A step whose function dies so many times (for each recipient): before its work, or after it."""
    died: Counter[str] = Counter()

    def run(task: dict[str, Any]) -> Any:
        recipient = task.get("recipient_ref", "")
        dies = died[recipient] < times
        died[recipient] += dies
        if dies and not after:
            raise PlatformError("Runtime.ExitError")
        result = step(task)
        if dies:
            raise PlatformError("Runtime.ExitError")
        return result

    return run


def addresses_told() -> Counter[str]:
    """The number of mails that SES took for each address."""
    sent = ses_backends[ACCOUNT]["us-east-1"].sent_messages
    # moto lists the addresses of the call and those of the mail's own headers.
    return Counter(address for mail in sent for address in set(mail.destinations))


def texts_sent() -> list[str]:
    """The plain-text part of every mail that SES took."""
    sent = ses_backends[ACCOUNT]["us-east-1"].sent_messages
    texts = []
    for mail in sent:
        parsed = message_from_bytes(mail.raw_data.encode(), policy=policy.default)
        body = parsed.get_body(("plain",))
        assert body is not None
        texts.append(str(body.get_content()))
    return texts


def actions(event_id: str) -> list[str]:
    """The actions of the event's audit entries in the order of time."""
    items = boto3.client("dynamodb").query(
        TableName="audit",
        KeyConditionExpression="event_id = :e",
        ExpressionAttributeValues={":e": {"S": event_id}},
    )["Items"]
    entries = sorted((i for i in items if i["sk"]["S"] != "HEAD"), key=lambda i: i["time"]["S"])
    return [entry["action"]["S"] for entry in entries]
