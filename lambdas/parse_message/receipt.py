"""Writes an event's first audit entries: RECEIVED, and CONTROL_ID_REUSED when its MSH-10 was used before."""

from hl7 import er7
from lambdas.common.audit import chain
from lambdas.common.audit.forms import text_of
from lambdas.common.aws import vault
from lambdas.common.clock import now
from lambdas.common.contracts.audit import AuditAction, AuditOutcome
from lambdas.common.contracts.document import Written
from lambdas.common.contracts.workflow.envelope import Envelope
from lambdas.common.errors import UnprocessableMessageError
from lambdas.common.function.handler import Run
from lambdas.common.senders import UNKNOWN_SENDER
from lambdas.parse_message.context import ParseContext

MAX_CONTROL_ID = 199
"""Longest MSH-10 of any version (since 2.7). DynamoDB limits keys too; the vault has the whole value."""


def received_message(context: ParseContext, envelope: Envelope, run: Run) -> bytes:
    """Returns the bytes of the message, after the audit entry RECEIVED is written.

    The entry is written also for bytes that differ from the envelope's digest; then
    `UnprocessableMessageError` is raised.
    """
    try:
        raw = vault.read_message(context, envelope)
    except UnprocessableMessageError:
        record_receipt(context, envelope, "", run)
        raise
    record_receipt(context, envelope, er7.control_id(raw)[:MAX_CONTROL_ID], run)
    return raw


def record_receipt(
    context: ParseContext, envelope: Envelope, message_control_id: str, run: Run
) -> None:
    """Audits RECEIVED, and CONTROL_ID_REUSED where it applies; each once per event."""
    entries = {text_of(entry, "action"): entry for entry in run.entries(envelope.event_id)}
    received = entries.get(AuditAction.RECEIVED)
    if received is None:
        # A queue message of an earlier version has a plain digest: the audit gets a keyed one.
        digest = envelope.digest or context.reference_keys.digest(envelope.sha256)
        run.audit(
            AuditAction.RECEIVED,
            AuditOutcome.OK,
            message_control_id=message_control_id or None,
            received_at=envelope.received_at,
            receiver=envelope.receiver,
            connection=envelope.connection,
            counts={"bytes": envelope.bytes},
            documents=(Written(envelope.key, envelope.version_id, digest),),
        )
    if AuditAction.CONTROL_ID_REUSED in entries or not message_control_id:
        return
    moment = text_of(received or {}, "time") or now()
    if _used_before(context, envelope, message_control_id, moment):
        run.audit(AuditAction.CONTROL_ID_REUSED, AuditOutcome.OK)
        run.count("ControlIdReused")


def _used_before(
    context: ParseContext, envelope: Envelope, message_control_id: str, moment: str
) -> bool:
    """Whether the sender gave this MSH-10 to another message before `moment`.

    False for unknown senders: they share one name, and MSH-10 is a plain counter for many.
    """
    if envelope.sender == UNKNOWN_SENDER:
        return False
    earlier = chain.query(
        context,
        "message_control_id = :id AND #time < :moment",
        {
            ":id": message_control_id,
            ":moment": moment,
            ":sender": envelope.sender,
            ":event": envelope.event_id,
        },
        IndexName="by_message_control_id",
        FilterExpression="sender = :sender AND event_id <> :event",
    )
    return next(earlier, None) is not None
