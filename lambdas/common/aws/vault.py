"""Reads and writes the vault, the bucket with patient data: `events/<event_id>/` for each event."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from lambdas.common.aws.clients import dependency
from lambdas.common.contracts.document import Written, read_as, to_document
from lambdas.common.contracts.findings import ClinicalFindings
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.contracts.workflow.envelope import Envelope
from lambdas.common.errors import DependencyUnavailableError, UnprocessableMessageError
from lambdas.common.function.context import Context

T = TypeVar("T")

DOCUMENT_NAMES: dict[type, str] = {
    PatientEvent: "event.json",
    Identities: "identities.json",
    ClinicalFindings: "clinical.json",
}
"""The name of each contract's document under `events/<event_id>/`."""


def document_key(event_id: str, name: str) -> str:
    """The object key of an event's document: `events/<event_id>/<name>`."""
    return f"events/{event_id}/{name}"


def read_message(context: Context, envelope: Envelope) -> bytes:
    """Returns the received bytes of the message.

    Raises `UnprocessableMessageError` when they are not those of the envelope's digest.
    """
    with dependency("s3"):
        answer = context.client("s3").get_object(
            Bucket=envelope.bucket, Key=envelope.key, VersionId=envelope.version_id
        )
        body: bytes = answer["Body"].read()
    sha256 = hashlib.sha256(body).hexdigest()
    named = envelope.digest
    same = context.reference_keys.is_digest(named, sha256) if named else sha256 == envelope.sha256
    if not same:
        raise UnprocessableMessageError("message.hl7 is not what the envelope's digest says")
    return body


def read_document(
    context: Context, event_id: str, contract: type[T], version_id: str | None = None
) -> T:
    """Returns the event's document of this contract, in the named version or the newest.

    Raises `ContractError` when the stored document does not fit the contract.
    """
    version = {"VersionId": version_id} if version_id else {}
    with dependency("s3"):
        answer = context.client("s3").get_object(
            Bucket=context.settings.vault_bucket,
            Key=document_key(event_id, DOCUMENT_NAMES[contract]),
            **version,
        )
        body = answer["Body"].read()
    return read_as(contract, json.loads(body))


def write_document(context: Context, event_id: str, contract: type[T], document: T) -> Written:
    """Writes the event's document of this contract. A second run of the step writes a new version."""
    body = json.dumps(
        to_document(document), ensure_ascii=False, separators=(",", ":"), sort_keys=True
    ).encode()
    return write(context, event_id, DOCUMENT_NAMES[contract], body, "application/json").written


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """An object of the vault: its bytes, its key and version, and its S3 metadata."""

    body: bytes = field(repr=False)
    written: Written
    metadata: dict[str, str] = field(default_factory=dict)


def write(
    context: Context,
    event_id: str,
    name: str,
    body: bytes,
    content_type: str,
    *,
    metadata: dict[str, str] | None = None,
    **condition: str,
) -> StoredDocument:
    """Writes `body` as the newest version of the document, under a condition of S3's if one is given."""
    key = document_key(event_id, name)
    with dependency("s3"):
        answer = context.client("s3").put_object(
            Bucket=context.settings.vault_bucket,
            Key=key,
            Body=body,
            ContentType=content_type,
            Metadata=metadata or {},
            **condition,
        )
    return StoredDocument(body, _written(context, key, answer, body), metadata or {})


def write_once(
    context: Context,
    event_id: str,
    name: str,
    body: bytes,
    content_type: str,
    *,
    metadata: dict[str, str] | None = None,
) -> StoredDocument:
    """Writes `body` unless the document exists, and returns the stored document.

    With `If-None-Match: *` the first writer's bytes stay; later writers use those (Amazon S3 User Guide,
    "Prevent object overwrites with conditional writes").
    """
    try:
        return write(
            context, event_id, name, body, content_type, metadata=metadata, IfNoneMatch="*"
        )
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 409:
            # Another write is in progress and may fail. S3 asks to retry; the workflow does.
            raise DependencyUnavailableError("s3 PutObject: ConditionalRequestConflict") from None
        if status != 412:
            raise
    key = document_key(event_id, name)
    with dependency("s3"):
        answer = context.client("s3").get_object(Bucket=context.settings.vault_bucket, Key=key)
        stored: bytes = answer["Body"].read()
    return StoredDocument(stored, _written(context, key, answer, stored), answer["Metadata"])


def _written(context: Context, key: str, answer: dict[str, Any], body: bytes) -> Written:
    digest = context.reference_keys.digest(hashlib.sha256(body).hexdigest())
    return Written(key, answer.get("VersionId", ""), digest)
