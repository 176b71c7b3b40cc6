"""Stores a message in the vault, then its envelope on the queue. Both confirm, or an error is raised."""

import asyncio
import base64
import hashlib
import uuid
from dataclasses import dataclass, field

from hl7.header import compact_json
from receiver.errors import StoreUnavailableError
from receiver.settings import ReceiverSettings
from receiver.storage.aws_client.calls import Aws, Call, ServiceRefusedError
from receiver.storage.sqs_batcher import SqsBatcher
from receiver.telemetry.log import timestamp

CONTENT_TYPE = "x-application/hl7-v2+er7"
_CONFLICT, _EXISTS = 409, 412
_VAULT_TRIES = 3
_CONFLICT_PAUSE = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A message to be stored: its bytes, and the values of its envelope."""

    event_id: str
    group: str
    sender: str
    connection: str
    received_at: str
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """The stored object of an event: key, version, SHA-256 in hex, length in bytes."""

    key: str
    version_id: str
    sha256: str
    length: int


class Store:
    """The vault and the queue of one environment."""

    def __init__(self, settings: ReceiverSettings, aws: Aws) -> None:
        self._settings = settings
        self._aws = aws
        self._outbox = SqsBatcher(aws.ask_queue, settings.queue_url, settings.queue_linger_seconds)
        self._on_the_way = 0

    async def put_message(self, arrival: IncomingMessage) -> StoredMessage:
        """Writes the message once, and returns the stored object.

        The first copy of an event wins (`If-None-Match: *`). A resend may differ from it in MSH-7 alone;
        version, digest and length are then the first copy's, so the envelope always describes the
        stored bytes. Raises `StoreUnavailableError`.
        """
        key = f"events/{arrival.event_id}/message.hl7"
        digest = hashlib.sha256(arrival.payload).digest()
        self._on_the_way += 1
        try:
            for _ in range(_VAULT_TRIES):
                try:
                    version = await self._put_once(key, arrival.payload, digest)
                except ServiceRefusedError as refusal:
                    if refusal.status == _EXISTS:
                        return await self._standing(key)
                    if refusal.status != _CONFLICT:
                        raise
                    await asyncio.sleep(_CONFLICT_PAUSE)
                else:
                    return StoredMessage(key, version, digest.hex(), len(arrival.payload))
        finally:
            self._on_the_way -= 1
        raise StoreUnavailableError("s3: other writers keep at the same key")

    async def send_envelope(self, arrival: IncomingMessage, vaulted: StoredMessage) -> None:
        """Sends the envelope of a stored message. Raises `StoreUnavailableError`."""
        envelope = {
            "event_id": arrival.event_id,
            "bucket": self._settings.vault_bucket,
            "key": vaulted.key,
            "version_id": vaulted.version_id,
            "sha256": vaulted.sha256,
            "bytes": vaulted.length,
            "received_at": arrival.received_at,
            "receiver": self._settings.receiver_id,
            "connection": arrival.connection,
            "sender": arrival.sender,
        }
        await self._outbox.send(
            compact_json(envelope),
            arrival.group,
            arrival.event_id,
            # No other message is being stored, so there is nothing to batch with.
            alone=not self._on_the_way,
        )

    async def keep_refused(self, payload: bytes, reason: str, connection: str, peer: str) -> str:
        """Writes the bytes of a rejected message under `rejected/<date>/`, and returns the key.

        Raises `StoreUnavailableError`.
        """
        key = f"rejected/{timestamp()[:10]}/{uuid.uuid4().hex}"
        headers = {
            "content-type": "application/octet-stream",
            "x-amz-meta-reason": reason,
            "x-amz-meta-receiver": self._settings.receiver_id,
            "x-amz-meta-connection": connection,
        }
        if peer:
            headers["x-amz-meta-peer"] = peer
        await self._put(key, payload, headers, hashlib.sha256(payload).hexdigest())
        return key

    async def probe(self) -> None:
        """Returns when bucket and queue answer. Raises `StoreUnavailableError` otherwise."""
        await self._aws.s3.call(Call("HeadBucket", "HEAD", self._aws.vault_path, {}))
        await self._aws.ask_queue(
            "GetQueueAttributes",
            {"QueueUrl": self._settings.queue_url, "AttributeNames": ["QueueArn"]},
        )

    async def _put_once(self, key: str, payload: bytes, digest: bytes) -> str:
        """Writes the object and returns its version. Raises `ServiceRefusedError` (412) when it exists."""
        sha256 = digest.hex()
        headers = {
            "content-type": CONTENT_TYPE,
            "if-none-match": "*",
            # S3 rejects bytes with another digest, so the stored bytes match the envelope.
            "x-amz-checksum-sha256": base64.b64encode(digest).decode(),
            "x-amz-meta-sha256": sha256,
        }
        return await self._put(key, payload, headers, sha256)

    async def _put(self, key: str, payload: bytes, headers: dict[str, str], sha256: str) -> str:
        answer = await self._aws.s3.call(
            Call("PutObject", "PUT", self._aws.vault_path + key, headers, payload, sha256)
        )
        return answer.headers.get(b"x-amz-version-id", b"").decode()

    async def _standing(self, key: str) -> StoredMessage:
        """The existing object, by HeadObject, which needs no permission to decrypt."""
        answer = await self._aws.s3.call(Call("HeadObject", "HEAD", self._aws.vault_path + key, {}))
        sha256 = answer.headers.get(b"x-amz-meta-sha256", b"").decode()
        if not sha256:
            raise StoreUnavailableError("s3: the stored message has no sha256 in its metadata")
        version = answer.headers.get(b"x-amz-version-id", b"").decode()
        return StoredMessage(key, version, sha256, int(answer.headers[b"content-length"]))
