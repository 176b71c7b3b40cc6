"""Reads and writes the vault, the bucket with patient data: `events/<event_id>/` for each event."""

import hashlib
import json
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws.clients import client, dependency
from lambdas.common.contracts.written import Written
from lambdas.common.errors import DependencyUnavailableError, UnprocessableMessageError
from lambdas.common.settings import settings


def document_key(event_id: str, name: str) -> str:
    """The object key of an event's document: `events/<event_id>/<name>`."""
    return f"events/{event_id}/{name}"


def read_message(bucket: str, key: str, version_id: str, sha256: str) -> bytes:
    """Returns the received bytes of the message.

    Raises `UnprocessableMessageError` when their SHA-256 is not `sha256`.
    """
    with dependency("s3"):
        answer = client("s3").get_object(Bucket=bucket, Key=key, VersionId=version_id)
        body: bytes = answer["Body"].read()
    if hashlib.sha256(body).hexdigest() != sha256:
        raise UnprocessableMessageError("message.hl7 is not what the envelope's sha256 says")
    return body


def read_document(event_id: str, name: str, version_id: str | None = None) -> dict[str, Any]:
    """Returns a JSON document of the event, in the named version or the newest."""
    version = {"VersionId": version_id} if version_id else {}
    with dependency("s3"):
        answer = client("s3").get_object(
            Bucket=settings().vault_bucket, Key=document_key(event_id, name), **version
        )
        body = answer["Body"].read()
    document: dict[str, Any] = json.loads(body)
    return document


def write_document(event_id: str, name: str, document: dict[str, Any]) -> Written:
    """Writes a derived JSON document. A second run of the step writes a new version."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    key = document_key(event_id, name)
    with dependency("s3"):
        answer = client("s3").put_object(
            Bucket=settings().vault_bucket, Key=key, Body=body, ContentType="application/json"
        )
    return Written(key, answer.get("VersionId", ""), hashlib.sha256(body).hexdigest())


def write_once(event_id: str, name: str, body: bytes, content_type: str) -> tuple[bytes, Written]:
    """Writes `body` unless the document exists, and returns the stored bytes.

    With `If-None-Match: *` the first writer's bytes stay; later writers use those.
    """
    key = document_key(event_id, name)
    bucket = settings().vault_bucket
    try:
        with dependency("s3"):
            answer = client("s3").put_object(
                Bucket=bucket, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*"
            )
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 409:
            # Another write is in progress and may fail. S3 asks to retry; the workflow does.
            raise DependencyUnavailableError("s3 PutObject: ConditionalRequestConflict") from None
        if status != 412:
            raise
        with dependency("s3"):
            answer = client("s3").get_object(Bucket=bucket, Key=key)
            body = answer["Body"].read()
    return body, Written(key, answer.get("VersionId", ""), hashlib.sha256(body).hexdigest())
