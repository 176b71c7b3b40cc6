"""The stub's services: objects, queue messages and the reference key, in memory or in a file."""

import base64
import hashlib
import json
import random
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import parse_qsl, unquote

SECRET = '{"current":"k1","k1":"a key that only benchmarks use, on loopback"}'
CONFIGURATION_KEY = "/configuration.json"
CONFIGURATION = json.dumps(
    {
        "version": 1,
        "environment": "local",
        "senders": [
            {
                "name": "northtown",
                "sending_application": "ADTSYS",
                "sending_facility": "NORTHGEN",
            }
        ],
    }
).encode()
_SECRETS_PREFIX = "secretsmanager."
_JSON = "application/x-amz-json-1.0"


@dataclass(slots=True)
class StubRequest:
    """An HTTP request; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = field(default=b"", repr=False)

    @classmethod
    def read(cls, head: bytes) -> "StubRequest":
        """The request of a head without its blank line."""
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return cls(method, path, headers)


@dataclass(frozen=True, slots=True)
class StubResponse:
    """An HTTP answer."""

    status: HTTPStatus
    headers: dict[str, str]
    body: bytes = b""
    to_head: bool = False

    @classmethod
    def failure(cls, status: HTTPStatus, request: StubRequest) -> "StubResponse":
        """A failed call as the service of that request words it."""
        code = {503: "SlowDown", 404: "NoSuchKey", 412: "PreconditionFailed"}[status]
        if "x-amz-target" in request.headers:
            return cls(status, {"Content-Type": _JSON}, json.dumps({"__type": code}).encode())
        body = f"<Error><Code>{code}</Code><Message>stub</Message></Error>".encode()
        return cls(status, {"Content-Type": "application/xml"}, body, request.method == "HEAD")

    def encode(self) -> bytes:
        """The bytes to send."""
        lines = [f"HTTP/1.1 {self.status.value} {self.status.phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if "Content-Length" not in self.headers:
            lines.append(f"Content-Length: {len(self.body)}")
        head = "\r\n".join(lines).encode() + b"\r\n\r\n"
        return head if self.to_head else head + self.body


class Services:
    """The objects of all buckets and the messages of all queues."""

    def __init__(self, durable: Path | None, fail_rate: float) -> None:
        self._fail_rate = fail_rate
        self._objects: dict[str, tuple[str, int, dict[str, str]]] = {}
        self._deduplicated: set[str] = set()
        self._puts = self._put_bytes = self._sends = self._envelopes = self._calls = 0
        self._file: TextIO | None = None
        if durable is not None:
            self._load(durable)
            self._file = durable.open("a")

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()

    def answer(self, request: StubRequest) -> StubResponse:
        """The service's answer. A target in the headers is SQS or Secrets Manager, all else S3."""
        self._calls += 1
        target = request.headers.get("x-amz-target")
        if target is not None:
            document = json.loads(request.body)
            if target.startswith(_SECRETS_PREFIX):
                return _json({"ARN": "arn:stub", "Name": "stub", "SecretString": SECRET})
            return self._sqs(target.rpartition(".")[2], document)
        if request.path == "/_stub/counts":
            return _json(
                {
                    "puts": self._puts,
                    "put_bytes": self._put_bytes,
                    "sends": self._sends,
                    "envelopes": self._envelopes,
                    "distinct": len(self._deduplicated),
                }
            )
        return self._s3(request)

    def _sqs(self, action: str, document: dict[str, Any]) -> StubResponse:
        if action == "SendMessage":
            self._sends += 1
            return _json(self._enqueue(document))
        if action == "SendMessageBatch":
            self._sends += 1
            done, failed = [], []
            for entry in document["Entries"]:
                if self._fail_rate and random.random() < self._fail_rate:
                    failed.append(
                        {"Id": entry["Id"], "Code": "InternalError", "SenderFault": False}
                    )
                else:
                    done.append({"Id": entry["Id"], **self._enqueue(entry)})
            return _json({"Successful": done, "Failed": failed})
        if action == "GetQueueUrl":
            return _json({"QueueUrl": f"http://127.0.0.1/123456789012/{document['QueueName']}"})
        if action == "GetQueueAttributes":
            return _json({"Attributes": {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:stub"}})
        return _json({})

    def _enqueue(self, entry: dict[str, Any]) -> dict[str, str]:
        body = entry["MessageBody"]
        self._envelopes += 1
        identity = entry.get("MessageDeduplicationId") or uuid.uuid4().hex
        duplicate = identity in self._deduplicated
        self._deduplicated.add(identity)
        self._append(
            {
                "queue": body,
                "group": entry.get("MessageGroupId", ""),
                "deduplication": identity,
                "duplicate": duplicate,
            }
        )
        return {
            "MessageId": f"m{self._envelopes}",
            "MD5OfMessageBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
            "SequenceNumber": f"{self._envelopes:020d}",
        }

    def _s3(self, request: StubRequest) -> StubResponse:
        path, _, query = request.path.partition("?")
        key = unquote(path)
        if request.method == "HEAD":
            return self._head(request, key)
        if request.method == "GET" and dict(parse_qsl(query, keep_blank_values=True)):
            return StubResponse(
                HTTPStatus.OK, {"Content-Type": "application/xml"}, b"<ListBucketResult/>"
            )
        if request.method == "GET" and key.endswith(CONFIGURATION_KEY):
            return StubResponse(HTTPStatus.OK, {"ETag": '"configuration"'}, CONFIGURATION)
        if request.method != "PUT":
            return StubResponse.failure(HTTPStatus.NOT_FOUND, request)
        if "if-none-match" in request.headers and key in self._objects:
            return StubResponse.failure(HTTPStatus.PRECONDITION_FAILED, request)
        body = request.body
        if "x-amz-decoded-content-length" in request.headers:
            body = _unchunked(body)
        self._puts += 1
        self._put_bytes += len(body)
        version = f"v{self._puts}"
        metadata = {n: v for n, v in request.headers.items() if n.startswith("x-amz-meta-")}
        self._objects[key] = (version, len(body), metadata)
        if self._file is not None:
            content = base64.b64encode(body).decode()
            self._append({"put": key, "version": version, "metadata": metadata, "body": content})
        return StubResponse(HTTPStatus.OK, {"ETag": f'"{version}"', "x-amz-version-id": version})

    def _head(self, request: StubRequest, key: str) -> StubResponse:
        if key.strip("/").count("/") == 0:  # the bucket
            return StubResponse(HTTPStatus.OK, {"x-amz-bucket-region": "us-east-1"}, to_head=True)
        if key not in self._objects:
            return StubResponse.failure(HTTPStatus.NOT_FOUND, request)
        version, length, metadata = self._objects[key]
        headers = {"ETag": f'"{version}"', "x-amz-version-id": version, **metadata}
        return StubResponse(HTTPStatus.OK, {**headers, "Content-Length": str(length)}, to_head=True)

    def _append(self, document: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(document) + "\n")
            self._file.flush()

    def _load(self, durable: Path) -> None:
        """Loads the entries of an earlier stub."""
        if not durable.exists():
            return
        with durable.open() as lines:
            for line in lines:
                document = json.loads(line)
                if "put" in document:
                    self._puts += 1
                    length = len(base64.b64decode(document["body"]))
                    standing = (document["version"], length, document["metadata"])
                    self._objects[document["put"]] = standing
                else:
                    self._envelopes += 1
                    self._deduplicated.add(document["deduplication"])


def _json(document: dict[str, Any]) -> StubResponse:
    return StubResponse(HTTPStatus.OK, {"Content-Type": _JSON}, json.dumps(document).encode())


def _unchunked(body: bytes) -> bytes:
    """The content of an `aws-chunked` body, without its signatures and trailers."""
    content, at = bytearray(), 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].split(b";", 1)[0], 16)
        if size == 0:
            return bytes(content)
        content += body[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
