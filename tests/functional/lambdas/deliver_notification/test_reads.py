"""One run asks AWS for the same thing once: each call costs time, and local systems CPU."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient

from lambdas.delivery.context import DeliveryContext, DeliverySettings
from lambdas.delivery.mail.mailer import SES_CONFIG
from lambdas.record_feedback.handler import lambda_handler as feedback
from tests.functional.lambdas.deliver_notification.world import EVENT_ID, DeliveryWorld, sent_mails
from tests.support.lambda_context import LambdaContext
from tests.support.ses_events import ses_event

READS = {"GetItem", "BatchGetItem", "Query", "GetObject", "GetSecretValue"}


def asked_for(operation: str, parameters: dict[str, Any]) -> Iterator[str]:
    """The things that a read names, as texts."""
    if operation == "BatchGetItem":
        for table, wanted in parameters["RequestItems"].items():
            yield from (f"{table} {json.dumps(key, sort_keys=True)}" for key in wanted["Keys"])
    elif operation == "GetItem":
        yield f"{parameters['TableName']} {json.dumps(parameters['Key'], sort_keys=True)}"
    else:
        yield f"{operation} {json.dumps(parameters, sort_keys=True, default=str)}"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[str, ...]]]:
    """The reads of AWS from now on: operation, and the things that it asks for."""
    found: list[tuple[str, tuple[str, ...]]] = []
    real = BaseClient._make_api_call

    def noted(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if operation in READS:
            found.append((operation, tuple(asked_for(operation, parameters))))
        return real(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    return found


def test_an_event_of_ses_takes_four_calls(context: DeliveryContext) -> None:
    world = DeliveryWorld(context)
    world.run()
    calls: list[str] = []
    for service in ("dynamodb", "kms", "secretsmanager"):
        context.client(service).meta.events.register(
            f"before-call.{service}", lambda model, **_: calls.append(model.name)
        )
    event = ses_event("Delivery", EVENT_ID, world.delivery_id)
    feedback.with_context(context)(event, LambdaContext("RecordFeedback"))
    assert calls == ["UpdateItem", "Query", "GenerateMac", "TransactWriteItems"]
    assert world.actions == ["SENT", "DELIVERED"]


@pytest.mark.parametrize("rate", ["0", "14"])
def test_a_delivery_reads_nothing_twice(
    aws: Any,
    monkeypatch: pytest.MonkeyPatch,
    reads: list[tuple[str, tuple[str, ...]]],
    rate: str,
) -> None:
    monkeypatch.setenv("ENS_SES_RATE", rate)
    world = DeliveryWorld(DeliveryContext(DeliverySettings.from_environment()))
    reads.clear()
    assert world.run()["outcome"] == "sent"
    repeated = Counter(thing for _, things in reads for thing in things)
    assert [thing for thing, count in repeated.items() if count > 1] == []


def test_a_delivery_reads_the_ledger_with_one_call(
    context: DeliveryContext, reads: list[tuple[str, tuple[str, ...]]]
) -> None:
    world = DeliveryWorld(context)
    reads.clear()
    world.run()
    assert [operation for operation, things in reads if things[0].startswith("ledger ")] == [
        "BatchGetItem"
    ]


def test_a_sandbox_makes_one_client_of_ses(
    context: DeliveryContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, made = boto3.client, list[tuple[str, Any]]()

    def client(service: str, **options: Any) -> Any:
        made.append((service, options.get("config")))
        return real(service, **options)

    monkeypatch.setattr(boto3, "client", client)
    DeliveryWorld(context).run()
    assert len(sent_mails()) == 1
    assert [config for service, config in made if service == "sesv2"] == [SES_CONFIG]
