"""Stores a message in the vault, then its envelope on the queue. Both confirm, or an error is raised."""

import asyncio
import base64
import hashlib
import uuid
from dataclasses import dataclass, field

from hl7.header import compact_json
from receiver.errors import StoreUnavailableError
from receiver.intake.reference_key import ReferenceKey
from receiver.settings import ReceiverSettings
from receiver.storage.aws_client.calls import Aws, Call, ServiceResponseError
from receiver.storage.sqs_batcher import SqsBatcher
from receiver.telemetry.log import timestamp

CONTENT_TYPE = "x-application/hl7-v2+er7"
_CONFLICT, _EXISTS = 409, 412
_VAULT_TRIES = 3
_CONFLICT_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A message to be stored: its bytes (`er7`), and the values of its envelope."""

    event_id: str
    group: str
    sender: str
    connection: str
    received_at: str
    er7: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """The stored object of an event: key, version, SHA-256 in hex, length in bytes."""

    key: str
    version_id: str
    sha256: str
    length: int


class Store:
    """The vault and the queue of one environment."""

    def __init__(self, settings: ReceiverSettings, aws: Aws, key: ReferenceKey) -> None:
        self._settings = settings
        self._key = key
        self._aws = aws
        self._batcher = SqsBatcher(aws.ask_queue, settings.queue_url, settings.queue_linger_seconds)
        self._puts_in_flight = 0

    async def put_message(self, message: IncomingMessage) -> StoredMessage:
        """Writes the message once, and returns the stored object.

        `If-None-Match: *` keeps the first copy of an event. A resend may differ from it in MSH-7 alone.
        Version, digest and length are then those of the first copy, so the envelope always describes
        the stored bytes. Raises `StoreUnavailableError`.

        Source: Amazon S3 User Guide, "Prevent object overwrites with conditional writes".
        """
        key = f"events/{message.event_id}/message.hl7"
        digest = hashlib.sha256(message.er7).digest()
        self._puts_in_flight += 1
        try:
            for _ in range(_VAULT_TRIES):
                try:
                    version = await self._put_once(key, message.er7, digest)
                except ServiceResponseError as error:
                    if error.status == _EXISTS:
                        return await self._existing(key)
                    if error.status != _CONFLICT:
                        raise
                    await asyncio.sleep(_CONFLICT_PAUSE_SECONDS)
                else:
                    return StoredMessage(key, version, digest.hex(), len(message.er7))
        finally:
            self._puts_in_flight -= 1
        raise StoreUnavailableError(
            f"s3: 409 ConditionalRequestConflict after {_VAULT_TRIES} tries"
        )

    async def send_envelope(self, message: IncomingMessage, stored: StoredMessage) -> None:
        """Sends the envelope of a stored message. Raises `StoreUnavailableError`."""
        envelope = {
            "event_id": message.event_id,
            "bucket": self._settings.vault_bucket,
            "key": stored.key,
            "version_id": stored.version_id,
            # Keyed: a plain hash would confirm a guessed message (docs/adr/0280-keyed-digests.md).
            "digest": self._key.reference("digest", stored.sha256),
            "bytes": stored.length,
            "received_at": message.received_at,
            "receiver": self._settings.receiver_id,
            "connection": message.connection,
            "sender": message.sender,
        }
        await self._batcher.send(
            compact_json(envelope),
            message.group,
            message.event_id,
            # No other PutObject is in flight, so no other entry can join this batch.
            alone=not self._puts_in_flight,
        )

    async def put_rejected(self, content: bytes, reason: str, connection: str, peer: str) -> str:
        """Writes the bytes of a rejected frame to `rejected/<date>/`, and returns the object's key.

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
        await self._put(key, content, headers, hashlib.sha256(content).hexdigest())
        return key

    async def probe(self) -> None:
        """Returns when HeadBucket and GetQueueAttributes succeed, else raises `StoreUnavailableError`."""
        await self._aws.s3.call(Call("HeadBucket", "HEAD", self._aws.vault_path, {}))
        await self._aws.ask_queue(
            "GetQueueAttributes",
            {"QueueUrl": self._settings.queue_url, "AttributeNames": ["QueueArn"]},
        )

    async def _put_once(self, key: str, content: bytes, digest: bytes) -> str:
        """Writes the object and returns its version. Raises `ServiceResponseError` (412) when it exists.

        The vault keeps versions, so an answer without one is not that of its bucket: a proxy's page, for
        example. It raises `StoreUnavailableError`.
        """
        sha256 = digest.hex()
        headers = {
            "content-type": CONTENT_TYPE,
            "if-none-match": "*",
            # S3 rejects bytes with another digest, so the stored bytes match the envelope.
            "x-amz-checksum-sha256": base64.b64encode(digest).decode(),
            "x-amz-meta-sha256": sha256,
        }
        version = await self._put(key, content, headers, sha256)
        if not version:
            raise StoreUnavailableError("s3 PutObject: the answer names no version")
        return version

    async def _put(self, key: str, content: bytes, headers: dict[str, str], sha256: str) -> str:
        answer = await self._aws.s3.call(
            Call("PutObject", "PUT", self._aws.vault_path + key, headers, content, sha256)
        )
        return answer.headers.get(b"x-amz-version-id", b"").decode()

    async def _existing(self, key: str) -> StoredMessage:
        """The object of an earlier copy. HeadObject needs no permission to decrypt."""
        answer = await self._aws.s3.call(Call("HeadObject", "HEAD", self._aws.vault_path + key, {}))
        sha256 = answer.headers.get(b"x-amz-meta-sha256", b"").decode()
        if not sha256:
            raise StoreUnavailableError("s3: the stored message has no sha256 in its metadata")
        version = answer.headers.get(b"x-amz-version-id", b"").decode()
        return StoredMessage(key, version, sha256, int(answer.headers[b"content-length"]))
