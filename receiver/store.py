"""Storing: the message into the vault, then its envelope onto the queue. Both confirmed, or an error."""

import asyncio
import base64
import hashlib
import uuid
from dataclasses import dataclass, field

from hl7.header import compact_json
from receiver.aws import Aws, Call, ServiceRefusedError
from receiver.errors import StoreUnavailableError
from receiver.log import timestamp
from receiver.outbox import Outbox
from receiver.settings import Settings

CONTENT_TYPE = "x-application/hl7-v2+er7"
_CONFLICT, _EXISTS = 409, 412
_VAULT_TRIES = 3
_CONFLICT_PAUSE = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message to be stored: its bytes, and what the envelope says of its coming."""

    event_id: str
    group: str
    sender: str
    connection: str
    received_at: str
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Vaulted:
    """What stands in the vault under an event's key: version, SHA-256 in hex, length."""

    key: str
    version_id: str
    sha256: str
    length: int


class Store:
    """The vault and the queue of one environment."""

    def __init__(self, settings: Settings, aws: Aws) -> None:
        self._settings = settings
        self._aws = aws
        self._outbox = Outbox(aws.ask_queue, settings.queue_url, settings.queue_linger_seconds)
        self._on_the_way = 0

    async def put_message(self, arrival: Arrival) -> Vaulted:
        """Writes the message once, and returns what stands in the vault now.

        The first copy of an event wins (`If-None-Match: *`). A resend may differ from it in MSH-7 alone;
        its version, digest and length are then the first copy's, so that the envelope always describes
        the bytes that are there. Raises `StoreUnavailableError`.
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
                    return Vaulted(key, version, digest.hex(), len(arrival.payload))
        finally:
            self._on_the_way -= 1
        raise StoreUnavailableError("s3: other writers keep at the same key")

    async def send_envelope(self, arrival: Arrival, vaulted: Vaulted) -> None:
        """Sends the pointer to the vaulted message. Raises `StoreUnavailableError`."""
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
            # Nobody to share a batch with: the one sender does not wait for company.
            alone=not self._on_the_way,
        )

    async def keep_refused(self, payload: bytes, reason: str, connection: str, peer: str) -> str:
        """Writes the bytes of a refused message under `rejected/<date>/`, and returns their key.

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
        """Returns when bucket and queue answer; raises `StoreUnavailableError` when one does not."""
        await self._aws.s3.call(Call("HeadBucket", "HEAD", self._aws.vault_path, {}))
        await self._aws.ask_queue(
            "GetQueueAttributes",
            {"QueueUrl": self._settings.queue_url, "AttributeNames": ["QueueArn"]},
        )

    async def _put_once(self, key: str, payload: bytes, digest: bytes) -> str:
        """The new object's version. Raises `ServiceRefusedError` (412) where one stands already."""
        sha256 = digest.hex()
        headers = {
            "content-type": CONTENT_TYPE,
            "if-none-match": "*",
            # S3 refuses bytes that are not these, so the envelope's digest is S3's word too.
            "x-amz-checksum-sha256": base64.b64encode(digest).decode(),
            "x-amz-meta-sha256": sha256,
        }
        return await self._put(key, payload, headers, sha256)

    async def _put(self, key: str, payload: bytes, headers: dict[str, str], sha256: str) -> str:
        answer = await self._aws.s3.call(
            Call("PutObject", "PUT", self._aws.vault_path + key, headers, payload, sha256)
        )
        return answer.headers.get(b"x-amz-version-id", b"").decode()

    async def _standing(self, key: str) -> Vaulted:
        """What stands at the key, by HeadObject: it needs no right to decrypt, so the receiver has none."""
        answer = await self._aws.s3.call(Call("HeadObject", "HEAD", self._aws.vault_path + key, {}))
        sha256 = answer.headers.get(b"x-amz-meta-sha256", b"").decode()
        if not sha256:
            raise StoreUnavailableError("s3: the stored message has no sha256 in its metadata")
        version = answer.headers.get(b"x-amz-version-id", b"").decode()
        return Vaulted(key, version, sha256, int(answer.headers[b"content-length"]))
