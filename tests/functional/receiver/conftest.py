"""A receiver in front of moto's S3 and SQS: the clients for all its tests, bucket and queue for each."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from moto import mock_aws

from receiver.aws import Clients, make_clients
from tests.conftest import ENVIRONMENT
from tests.functional.receiver.world import World, settings_for_tests


@pytest.fixture(scope="package")
def clients() -> Iterator[Clients]:
    """The receiver's clients, made once: to make them takes longer than most tests."""
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
            environment.delenv(name, raising=False)
        for name, value in ENVIRONMENT.items():
            environment.setenv(name, value)
        yield make_clients(settings_for_tests("", ""))


@pytest.fixture
def start(clients: Clients) -> Iterator[Callable[..., World]]:
    """Starts a receiver, with other limits than the defaults if wanted; it is stopped after the test."""
    name = uuid.uuid4().hex
    clients.s3.create_bucket(Bucket=name)
    clients.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    queue = clients.sqs.create_queue(
        QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true", "VisibilityTimeout": "720"}
    )
    with ExitStack() as running:
        yield lambda **limits: running.enter_context(
            World(settings_for_tests(name, queue["QueueUrl"], **limits), clients)
        )


@pytest.fixture
def world(start: Callable[..., World]) -> World:
    """A running receiver with the default limits."""
    return start()
