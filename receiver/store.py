"""Storing: the message into the vault, then its envelope onto the queue. Both confirmed, or an error."""

import base64
import hashlib
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from receiver.aws import Clients, confirmed, status_of
from receiver.errors import StoreUnavailableError
from receiver.log import timestamp
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
    """The vault and the queue of one environment. Its methods block; they are called in threads."""

    def __init__(self, settings: Settings, clients: Clients) -> None:
        self._settings = settings
        self._s3 = clients.s3
        self._sqs = clients.sqs

    def put_message(self, arrival: Arrival) -> Vaulted:
        """Writes the message once, and returns what stands in the vault now.

        The first copy of an event wins (`If-None-Match: *`). A resend may differ from it in MSH-7 alone;
        its version, digest and length are then the first copy's, so that the envelope always describes
        the bytes that are there. Raises `StoreUnavailableError`.
        """
        key = f"events/{arrival.event_id}/message.hl7"
        digest = hashlib.sha256(arrival.payload)
        for _ in range(_VAULT_TRIES):
            try:
                with confirmed("s3"):
                    version = self._put_once(key, arrival.payload, digest.digest())
                    if version is not None:
                        return Vaulted(key, version, digest.hexdigest(), len(arrival.payload))
                    return self._standing(key)
            except _WriterAtWorkError:
                time.sleep(_CONFLICT_PAUSE)
        raise StoreUnavailableError("s3: other writers keep at the same key")

    def send_envelope(self, arrival: Arrival, vaulted: Vaulted) -> None:
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
        with confirmed("sqs"):
            self._sqs.send_message(
                QueueUrl=self._settings.queue_url,
                MessageBody=json.dumps(envelope, separators=(",", ":")),
                MessageGroupId=arrival.group,
                MessageDeduplicationId=arrival.event_id,
            )

    def keep_refused(self, payload: bytes, reason: str, connection: str) -> str:
        """Writes the bytes of a refused message under `rejected/<date>/`, and returns their key.

        Raises `StoreUnavailableError`.
        """
        key = f"rejected/{timestamp()[:10]}/{uuid.uuid4().hex}"
        with confirmed("s3"):
            self._s3.put_object(
                Bucket=self._settings.vault_bucket,
                Key=key,
                Body=payload,
                ContentType="application/octet-stream",
                Metadata={
                    "reason": reason,
                    "receiver": self._settings.receiver_id,
                    "connection": connection,
                },
            )
        return key

    def probe(self) -> None:
        """Returns when bucket and queue answer; raises `StoreUnavailableError` when one does not."""
        with confirmed("s3"):
            self._s3.head_bucket(Bucket=self._settings.vault_bucket)
        with confirmed("sqs"):
            self._sqs.get_queue_attributes(
                QueueUrl=self._settings.queue_url, AttributeNames=["QueueArn"]
            )

    def _put_once(self, key: str, payload: bytes, digest: bytes) -> str | None:
        """The new object's version; None when one stands there already."""
        try:
            answer: dict[str, Any] = self._s3.put_object(
                Bucket=self._settings.vault_bucket,
                Key=key,
                Body=payload,
                ContentType=CONTENT_TYPE,
                # S3 refuses bytes that are not these, so the envelope's digest is S3's word too.
                ChecksumSHA256=base64.b64encode(digest).decode(),
                Metadata={"sha256": digest.hex()},
                IfNoneMatch="*",
            )
        except ClientError as error:
            if status_of(error) == _EXISTS:
                return None
            if status_of(error) == _CONFLICT:
                raise _WriterAtWorkError from None
            raise
        version: str = answer.get("VersionId", "")
        return version

    def _standing(self, key: str) -> Vaulted:
        """What stands at the key, by HeadObject: it needs no right to decrypt, so the receiver has none."""
        answer = self._s3.head_object(Bucket=self._settings.vault_bucket, Key=key)
        sha256 = answer.get("Metadata", {}).get("sha256", "")
        if not sha256:
            raise StoreUnavailableError("s3: the stored message has no sha256 in its metadata")
        return Vaulted(key, answer.get("VersionId", ""), sha256, answer["ContentLength"])


class _WriterAtWorkError(Exception):
    """Another writer is at the same key at this moment (409 ConditionalRequestConflict)."""
