"""A registry with the project's seeds, and a way to run the step on a patient event."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lambdas.common.aws.clients import client
from lambdas.common.aws.items import to_item
from lambdas.common.aws.vault import write_document
from lambdas.common.contracts.document import to_document
from lambdas.common.contracts.event import PatientEvent
from lambdas.lookup_identities.handler import lambda_handler
from lambdas.lookup_identities.registry.items import items_of_folder

SEEDS = Path(__file__).resolve().parents[4] / "samples" / "registry"

Item = dict[str, Any]
RunStep = Callable[[PatientEvent], dict[str, Any]]


@pytest.fixture
def file_item(aws: Any) -> Callable[[Item], None]:
    """Files one plain item in the registry's table."""

    def file(item: Item) -> None:
        client("dynamodb").put_item(TableName="registry", Item=to_item(item))

    return file


@pytest.fixture
def registry(file_item: Callable[[Item], None]) -> None:
    """The seeds of the local system in the registry's table."""
    for item in items_of_folder(SEEDS):
        file_item(item)


@pytest.fixture
def run_step(aws: Any) -> RunStep:
    """Runs the handler on an event, as the workflow would after ParseMessage."""

    def run(event: PatientEvent) -> dict[str, Any]:
        written = write_document(event.event_id, "event.json", to_document(event))
        return lambda_handler(
            {
                "envelope": {"event_id": event.event_id, "sender": event.sender},
                "parsed": {"version_id": written.version_id},
                "execution_arn": "arn:aws:states:us-east-1:123456789012:express:x:y:z",
                "attempt": 0,
            },
            None,
        )

    return run
