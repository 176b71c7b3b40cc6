"""A receiver in front of moto's S3 and SQS: one server for all its tests, bucket and queue for each."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.conftest import bind_environment
from tests.functional.receiver.certificates import CertificateFolder
from tests.functional.receiver.world import (
    NORTHGEN,
    ReceiverWorld,
    StoredThings,
    settings_for_tests,
)


@pytest.fixture(scope="package")
def clients() -> Iterator[StoredThings]:
    """The tests' own view of the services; the receiver calls the same server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        bind_environment(environment)
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        yield StoredThings(boto3.client("s3"), boto3.client("sqs"))
    server.stop()


@pytest.fixture
def start(clients: StoredThings) -> Iterator[Callable[..., ReceiverWorld]]:
    """Starts a receiver, with other limits than the defaults if wanted; it is stopped after the test."""
    name = uuid.uuid4().hex
    clients.s3.create_bucket(Bucket=name)
    clients.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    queue = clients.sqs.create_queue(
        QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true", "VisibilityTimeout": "720"}
    )
    with ExitStack() as running:
        yield lambda senders=(NORTHGEN,), **limits: running.enter_context(
            ReceiverWorld(settings_for_tests(name, queue["QueueUrl"], **limits), clients, senders)
        )


@pytest.fixture
def world(start: Callable[..., ReceiverWorld]) -> ReceiverWorld:
    """A running receiver with the default limits."""
    return start()


@pytest.fixture
def authority(tmp_path: Path) -> CertificateFolder:
    """An authority that issues certificates into the test's folder."""
    return CertificateFolder(tmp_path)
