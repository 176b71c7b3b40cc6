"""The first entries of an event's audit: that it was received, and whether its MSH-10 was used before."""

from typing import Any

from hl7 import er7
from lambdas.common import audit, vault
from lambdas.common.clock import now
from lambdas.common.errors import UnprocessableMessageError
from lambdas.common.log import Run
from lambdas.common.models import Envelope

MAX_CONTROL_ID = 199
"""The longest MSH-10 of any version (2.7 on). A DynamoDB key has a limit too; the vault keeps the whole."""

UNKNOWN_SENDER = "unknown"


def received_message(envelope: Envelope, run: Run) -> bytes:
    """The bytes of the message, once the audit says that it was received.

    The entry is written even for bytes that are not what the envelope says; then
    `UnprocessableMessageError` is raised.
    """
    try:
        raw = vault.read_message(
            envelope.bucket, envelope.key, envelope.version_id, envelope.sha256
        )
    except UnprocessableMessageError:
        record_receipt(envelope, "", run)
        raise
    record_receipt(envelope, er7.control_id(raw)[:MAX_CONTROL_ID], run)
    return raw


def record_receipt(envelope: Envelope, message_control_id: str, run: Run) -> None:
    """Audits RECEIVED, and CONTROL_ID_REUSED where it applies: each once, however often this runs."""
    entries = {entry["action"]: entry for entry in audit.entries(envelope.event_id)}
    received = entries.get("RECEIVED")
    if received is None:
        run.audit(
            "RECEIVED",
            "ok",
            message_control_id=message_control_id or None,
            received_at=envelope.received_at,
            receiver=envelope.receiver,
            connection=envelope.connection,
            counts={"bytes": envelope.bytes},
            documents=[vault.Written(envelope.key, envelope.version_id, envelope.sha256).to_dict()],
        )
    if "CONTROL_ID_REUSED" in entries or not message_control_id:
        return
    if _used_before(envelope, message_control_id, received["time"] if received else now()):
        run.audit("CONTROL_ID_REUSED", "ok")
        run.count("ControlIdReused")


def _used_before(envelope: Envelope, message_control_id: str, moment: str) -> bool:
    """Whether the sender gave this MSH-10 to another message before `moment`.

    Unknown senders share one name, and MSH-10 is a plain counter for many: theirs tell nothing.
    """
    if envelope.sender == UNKNOWN_SENDER:
        return False
    earlier: Any = audit.query(
        IndexName="by_message_control_id",
        KeyConditionExpression="message_control_id = :id AND #time < :moment",
        FilterExpression="sender = :sender AND event_id <> :event",
        ExpressionAttributeNames={"#time": "time"},
        ExpressionAttributeValues={
            ":id": {"S": message_control_id},
            ":moment": {"S": moment},
            ":sender": {"S": envelope.sender},
            ":event": {"S": envelope.event_id},
        },
    )
    return next(earlier, None) is not None
