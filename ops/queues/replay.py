"""Replays an event: rebuilds its envelope from audit and vault, and sends it to the source queue."""

import hashlib
import json
import uuid
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common import status
from lambdas.common.audit import chain
from lambdas.common.aws.clients import client, dependency
from lambdas.common.aws.vault import document_key
from lambdas.common.clock import iso, now
from lambdas.common.settings import settings
from ops.deployment import CONFIG, Deployment
from ops.problem import DENIED_CODES, FAILURES, ProblemError

MESSAGE = "message.hl7"


def replay(deployment: Deployment, event_id: str, who: str) -> dict[str, Any]:
    """Sends the event's envelope with `"replay": who`, and returns it.

    The audit entry is written first; a failed send adds a second entry with outcome `failed`. Raises
    `ProblemError` when the event or its message does not exist.
    """
    envelope = {**rebuilt(event_id), "replay": who}
    _audit(event_id, who, "ok")
    try:
        with dependency("sqs"):
            client("sqs", CONFIG).send_message(
                QueueUrl=deployment.output("QueueUrl"),
                MessageBody=json.dumps(envelope),
                # Not the patient's group: only the receiver has its key, and a replay has no order.
                MessageGroupId=event_id,
                # Unique: SQS would drop the event id as a duplicate within five minutes of the original.
                MessageDeduplicationId=f"{event_id}.replay.{uuid.uuid4().hex}",
            )
    except FAILURES:
        _audit(event_id, who, "failed")
        raise
    return envelope


def rebuilt(event_id: str) -> dict[str, Any]:
    """Returns the receiver's envelope, from the RECEIVED audit entry, else from the vault."""
    entries = chain.entries(event_id)
    item = status.read(event_id)
    if not entries and item is None:
        raise ProblemError(f"Status and audit table have no event {event_id}.")
    received = next((e for e in entries if e["action"] == "RECEIVED"), {})
    message = _message(event_id, received)
    return {
        "event_id": event_id,
        "bucket": settings().vault_bucket,
        **message,
        "received_at": received.get("received_at")
        or (item.received_at if item else "")
        or message["received_at"],
        "receiver": received.get("receiver", ""),
        "connection": received.get("connection", ""),
        "sender": received.get("sender") or (item.sender if item else "") or "unknown",
    }


def _message(event_id: str, received: dict[str, Any]) -> dict[str, Any]:
    """Key, version, SHA-256 and size of `message.hl7`, from the audit, else from the vault."""
    key = document_key(event_id, MESSAGE)
    named = [d for d in received.get("documents", []) if d.get("key") == key]
    size = received.get("counts", {}).get("bytes")
    if named and size is not None:
        document = named[0]
        return {
            "key": key,
            "version_id": document["version_id"],
            "sha256": document["sha256"],
            "bytes": size,
            "received_at": "",
        }
    try:
        with dependency("s3"):
            answer = client("s3", CONFIG).get_object(Bucket=settings().vault_bucket, Key=key)
            body: bytes = answer["Body"].read()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in DENIED_CODES:
            raise ProblemError(
                f"The audit holds no receipt of event {event_id}, and an operator may not read the vault:"
                " redrive its dead letter (`ens dlq redrive`), or replay it with the credentials that"
                " deploy the environment."
            ) from None
        if code not in ("NoSuchKey", "404"):
            raise
        raise ProblemError(f"The vault has no message of event {event_id}.") from None
    return {
        "key": key,
        "version_id": answer.get("VersionId", ""),
        "sha256": hashlib.sha256(body).hexdigest(),
        "bytes": len(body),
        "received_at": iso(answer["LastModified"]),
    }


def _audit(event_id: str, who: str, outcome: str) -> None:
    chain.append(
        event_id,
        {
            "step": "Replay",
            "actor": f"operator:{who}",
            "action": "REPLAYED",
            "outcome": outcome,
            "started_at": now(),
        },
    )
