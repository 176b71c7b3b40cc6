"""A completed event once more: its envelope, rebuilt from audit and vault, back on the source queue."""

import hashlib
import json
import uuid
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common import status
from lambdas.common.audit import chain
from lambdas.common.aws.clients import dependency
from lambdas.common.aws.vault import document_key
from lambdas.common.clock import iso, now
from lambdas.delivery.ledger.context import LedgerContext
from ops.deployment import CONFIG, Deployment
from ops.problem import FAILURES, ProblemError

MESSAGE = "message.hl7"


def replay(deployment: Deployment, event_id: str, who: str) -> dict[str, Any]:
    """Sends the event's envelope with `"replay": who` and returns it; the ledger spares who was told.

    The act is audited before it is done, so that none goes unrecorded; should the queue then refuse
    it, a second entry says so. Raises `ProblemError` when the event or its message is not known.
    """
    envelope = {**rebuilt(deployment.context, event_id), "replay": who}
    _audit(deployment.context, event_id, who, "ok")
    try:
        with dependency("sqs"):
            deployment.context.client("sqs", CONFIG).send_message(
                QueueUrl=deployment.output("QueueUrl"),
                MessageBody=json.dumps(envelope),
                # Not the patient's group: its key is the receiver's. A replay is out of order anyway.
                MessageGroupId=event_id,
                # Its own: within five minutes of the original the event id alone would be swallowed.
                MessageDeduplicationId=f"{event_id}.replay.{uuid.uuid4().hex}",
            )
    except FAILURES:
        _audit(deployment.context, event_id, who, "failed")
        raise
    return envelope


def rebuilt(context: LedgerContext, event_id: str) -> dict[str, Any]:
    """The queue message as the receiver wrote it, from the RECEIVED entry, else from the vault."""
    entries = chain.entries(context, event_id)
    item = status.read(context, event_id) or {}
    if not entries and not item:
        raise ProblemError(f"No event {event_id} is known here.")
    received = next((e for e in entries if e["action"] == "RECEIVED"), {})
    message = _message(context, event_id, received)
    return {
        "event_id": event_id,
        "bucket": context.settings.vault_bucket,
        **message,
        "received_at": received.get("received_at")
        or item.get("received_at")
        or message["received_at"],
        "receiver": received.get("receiver", ""),
        "connection": received.get("connection", ""),
        "sender": received.get("sender") or item.get("sender", "unknown"),
    }


def _message(context: LedgerContext, event_id: str, received: dict[str, Any]) -> dict[str, Any]:
    """Key, version, SHA-256 and size of `message.hl7`; read from the vault where the audit lacks one."""
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
            answer = context.client("s3", CONFIG).get_object(
                Bucket=context.settings.vault_bucket, Key=key
            )
            body: bytes = answer["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
            raise
        raise ProblemError(f"The vault holds no message of event {event_id}.") from None
    return {
        "key": key,
        "version_id": answer.get("VersionId", ""),
        "sha256": hashlib.sha256(body).hexdigest(),
        "bytes": len(body),
        "received_at": iso(answer["LastModified"]),
    }


def _audit(context: LedgerContext, event_id: str, who: str, outcome: str) -> None:
    chain.append(
        context,
        event_id,
        {
            "step": "Replay",
            "actor": f"operator:{who}",
            "action": "REPLAYED",
            "outcome": outcome,
            "started_at": now(),
        },
    )
