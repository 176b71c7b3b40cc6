"""A registry with the project's seeds, and a way to run the step on a patient event."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lambdas.common.aws.clients import Clients
from lambdas.common.aws.items import to_item
from lambdas.common.contracts.document import to_document
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.lookup_identities.context import LookupContext, LookupSettings
from lambdas.lookup_identities.handler import lambda_handler
from tests.support.contexts import FunctionSandbox, StubSecretsManager
from tests.support.registry import seed_registry
from tests.support.vault import write_json

Item = dict[str, Any]
RunStep = Callable[[PatientEvent], dict[str, Any]]


secrets = StubSecretsManager()
mpi_sandbox = FunctionSandbox(
    lambda: LookupContext(LookupSettings.from_environment(), Clients(secretsmanager=secrets))
)
"""A sandbox that asks an MPI and calls no other service."""


def set_mpi_secret(monkeypatch: pytest.MonkeyPatch, secret: dict[str, Any]) -> None:
    """Gives the next sandbox this secret for the MPI."""
    monkeypatch.setattr(secrets, "secret", secret)
    monkeypatch.setenv("ENS_MPI_SECRET", "mdm")


@pytest.fixture
def context(aws: Any) -> LookupContext:
    """The context of LookupIdentities with moto's clients."""
    return LookupContext(LookupSettings.from_environment())


@pytest.fixture
def file_item(context: LookupContext) -> Callable[[Item], None]:
    """Files one plain item in the registry's table."""

    def file(item: Item) -> None:
        context.client("dynamodb").put_item(TableName="registry", Item=to_item(item))

    return file


@pytest.fixture
def registry(aws: Any) -> None:
    """The seeds of the local system in the registry's table."""
    seed_registry()


@pytest.fixture
def sandbox(context: LookupContext) -> Iterator[FunctionSandbox[LookupContext]]:
    """The sandbox in which `run_step` runs, with moto's clients."""
    running = FunctionSandbox(
        lambda: LookupContext(LookupSettings.from_environment(), context.clients)
    )
    yield running
    running.end()


@pytest.fixture
def run_step(sandbox: FunctionSandbox[LookupContext], context: LookupContext) -> RunStep:
    """Runs the handler on an event, as the workflow would after ParseMessage."""

    def run(event: PatientEvent) -> dict[str, Any]:
        written = write_json(context, event.event_id, "event.json", to_document(event))
        return lambda_handler.with_context(sandbox.context)(
            {
                "envelope": {"event_id": event.event_id, "sender": event.sender},
                "parsed": {"version_id": written.version_id},
                "execution_arn": "arn:aws:states:us-east-1:123456789012:express:x:y:z",
                "attempt": 0,
            },
            None,
        )

    return run
