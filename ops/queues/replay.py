"""Replays an event: rebuilds its envelope from audit and vault, and sends it to the source queue."""

import hashlib
import json
import uuid
from dataclasses import replace

from botocore.exceptions import ClientError

from lambdas.common.audit import chain
from lambdas.common.aws.clients import dependency
from lambdas.common.aws.vault import document_key
from lambdas.common.clock import iso
from lambdas.common.contracts.audit import AuditAction, AuditEntry, AuditOutcome, AuditStep
from lambdas.common.contracts.document import read_as, to_document
from lambdas.common.contracts.workflow.envelope import Envelope
from lambdas.delivery.ledger.context import LedgerContext
from ops.audit.entries import readable
from ops.audit.entry import audit
from ops.deployment import CONFIG, Deployment
from ops.events import queries
from ops.problem import DENIED_CODES, FAILURES, ProblemError

MESSAGE = "message.hl7"


def replay(deployment: Deployment, event_id: str, who: str) -> Envelope:
    """Sends the event's envelope, with `who` as its member `replay`, and returns it.

    The audit entry is written first; a failed send adds a second entry with outcome `failed`. Raises
    `ProblemError` when the event or its message does not exist.
    """
    envelope = replace(rebuilt(deployment.context, event_id), replay=who)
    _audit(deployment.context, event_id, who, AuditOutcome.OK)
    try:
        with dependency("sqs"):
            deployment.context.client("sqs", CONFIG).send_message(
                QueueUrl=deployment.output("QueueUrl"),
                MessageBody=json.dumps(to_document(envelope)),
                # Not the patient's group: only the receiver has its key, and a replay has no order.
                MessageGroupId=event_id,
                # Unique: SQS would drop the event id as a duplicate within five minutes of the original.
                MessageDeduplicationId=f"{event_id}.replay.{uuid.uuid4().hex}",
            )
    except FAILURES:
        _audit(deployment.context, event_id, who, AuditOutcome.FAILED)
        raise
    return envelope


def rebuilt(context: LedgerContext, event_id: str) -> Envelope:
    """Returns the receiver's envelope, from the RECEIVED audit entry, else from the vault."""
    entries = readable(chain.entries(context, event_id))
    item = queries.status_of(context, event_id)
    if not entries and item is None:
        raise ProblemError(f"Status and audit table have no event {event_id}.")
    found = next((e for e in entries if e["action"] == AuditAction.RECEIVED), None)
    received = read_as(AuditEntry, found) if found else None
    envelope = (received and _audited(context, event_id, received)) or _stored(context, event_id)
    return replace(
        envelope,
        received_at=(received and received.received_at)
        or (item and item.received_at)
        or envelope.received_at,
        receiver=(received and received.receiver) or "",
        connection=(received and received.connection) or "",
        sender=(received and received.sender) or (item and item.sender) or "unknown",
    )


def _audited(context: LedgerContext, event_id: str, received: AuditEntry) -> Envelope | None:
    """The envelope as far as the receipt describes `message.hl7`, None when it does not."""
    key = document_key(event_id, MESSAGE)
    named = next((d for d in received.documents or () if d.key == key), None)
    size = (received.counts or {}).get("bytes")
    if named is None or size is None:
        return None
    envelope = _envelope(context, event_id, named.version_id, size)
    return replace(envelope, digest=named.digest, sha256=named.sha256)


def _stored(context: LedgerContext, event_id: str) -> Envelope:
    """The envelope as far as the stored `message.hl7` shows it."""
    try:
        with dependency("s3"):
            answer = context.client("s3", CONFIG).get_object(
                Bucket=context.settings.vault_bucket, Key=document_key(event_id, MESSAGE)
            )
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
    envelope = _envelope(context, event_id, answer.get("VersionId", ""), len(body))
    digest = context.reference_keys.digest(hashlib.sha256(body).hexdigest())
    return replace(envelope, digest=digest, received_at=iso(answer["LastModified"]))


def _envelope(context: LedgerContext, event_id: str, version_id: str, size: int) -> Envelope:
    return Envelope(
        event_id=event_id,
        bucket=context.settings.vault_bucket,
        key=document_key(event_id, MESSAGE),
        version_id=version_id,
        bytes=size,
        received_at="",
        receiver="",
        connection="",
        sender="unknown",
    )


def _audit(context: LedgerContext, event_id: str, who: str, outcome: AuditOutcome) -> None:
    audit(context, event_id, AuditStep.REPLAY, AuditAction.REPLAYED, by=who, outcome=outcome)
