"""The requests that every client makes, and the methods that it has."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

REGION = "us-east-1"
BUCKET, QUEUE = "bench-vault", "bench.fifo"
ACCESS_KEY, SECRET_KEY = "AKIDBENCH", "a key that only benchmarks use"
ENTRIES = 10  # of a batch: the most that SQS takes
BATCH_HEADERS = {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": "AmazonSQS.SendMessageBatch",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of the stub. `ca_file` is the authority of its certificate, "" without TLS."""

    url: str
    ca_file: str
    connections: int

    @property
    def host(self) -> str:
        """The host name alone."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port."""
        return urlsplit(self.url).port or 0


@dataclass(frozen=True, slots=True)
class PutRequest:
    """A PutObject as the receiver makes it: same key, same headers, digest of the body."""

    key: str
    body: bytes = field(repr=False)

    @property
    def path(self) -> str:
        """The path of the object in path style."""
        return f"/{BUCKET}/{self.key}"

    @property
    def sha256(self) -> str:
        """The digest of the body in hex."""
        return hashlib.sha256(self.body).hexdigest()

    def headers(self) -> dict[str, str]:
        """The headers that are signed, apart from those of the signature itself."""
        digest = hashlib.sha256(self.body).digest()
        return {
            "content-type": "x-application/hl7-v2+er7",
            "if-none-match": "*",
            "x-amz-checksum-sha256": base64.b64encode(digest).decode(),
            "x-amz-meta-sha256": digest.hex(),
        }


class BenchClient(Protocol):
    """A client that a server on asyncio can use: its calls wait without blocking the event loop."""

    async def put(self, request: PutRequest) -> str:
        """Returns the version of the stored object."""

    async def send(self, entries: list[dict[str, str]]) -> int:
        """Returns how many entries SQS has confirmed."""

    def close(self) -> None:
        """Closes the connections."""


def queue_url(endpoint: Endpoint) -> str:
    """Returns the queue's URL at this endpoint."""
    return f"{endpoint.url}/123456789012/{QUEUE}"


def batch_body(endpoint: Endpoint, entries: list[dict[str, str]]) -> bytes:
    """Returns the JSON of a SendMessageBatch."""
    document = {"QueueUrl": queue_url(endpoint), "Entries": entries}
    return json.dumps(document, separators=(",", ":")).encode()


def confirmed(body: bytes) -> int:
    """Returns how many entries the answer to a SendMessageBatch confirms."""
    return len(json.loads(body)["Successful"])
