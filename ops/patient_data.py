"""Reads patient data from the vault for a person with break-glass access, and makes it safe to show.

Each reading is audited first. Its bytes are returned in memory; a command decides where they go.
"""

import email.policy
import re
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from hl7.header import decoded, find_header
from lambdas.common.aws.vault import document_key
from lambdas.common.contracts.audit import AuditOutcome, LookedAt
from lambdas.delivery.ledger.deliveries import deliveries
from ops.audit import looks
from ops.audit.looks import PatientDataReading
from ops.aws_calls import if_exists
from ops.deployment import CONFIG
from ops.problem import FAILURES, ProblemError
from ops.queues.rejected import PREFIX
from ops.session import Session

ID = re.compile(r"[0-9a-f]{32}")
REJECTED = re.compile(rf"{PREFIX}\d{{4}}-\d\d-\d\d/[\w.-]+")
HEADERS = ("From", "To", "Date", "Subject", "Content-Type")


def message(session: Session, event_id: str, reason: str) -> bytes:
    """Returns the received bytes of an event's message. Raises `ProblemError` when there are none."""
    if not ID.fullmatch(event_id):
        raise ProblemError("An event id has 32 hex digits: see `ens events`.")
    reading = PatientDataReading(LookedAt.MESSAGE, event_id, reason)
    return _read(session, reading, document_key(event_id, "message.hl7"))


def mail(session: Session, delivery_id: str, reason: str) -> bytes:
    """Returns the stored mail of a delivery, or of the summary that told it, as MIME.

    Raises `ProblemError` when the delivery or its mail does not exist.
    """
    item = deliveries.read(session.context, delivery_id) if ID.fullmatch(delivery_id) else None
    if item is None or item.document is None:
        raise ProblemError("No delivery with a stored mail has this id: see `ens trace`.")
    written = item.document
    reading = PatientDataReading(LookedAt.MAIL, delivery_id, reason)
    return _read(session, reading, written.key, written.version_id)


def rejected(session: Session, key: str, reason: str) -> bytes:
    """Returns the bytes of a rejected message. Raises `ProblemError` when the key has none."""
    if not REJECTED.fullmatch(key):
        raise ProblemError("No rejected message has such a key: see `ens rejected list`.")
    return _read(session, PatientDataReading(LookedAt.REJECTED_MESSAGE, key, reason), key)


def message_lines(content: bytes) -> list[str]:
    """Returns a message's segments as text in its own character set.

    Bytes without a readable MSH are read as Latin-1. Control and format characters are shown as
    escapes, because a terminal would obey them.
    """
    header = find_header(content)
    text = decoded(header).text if header else content.decode("latin-1")
    lines = text.replace("\r\n", "\r").replace("\n", "\r").split("\r")
    return [_shown(line) for line in lines if line]


def mail_lines(content: bytes) -> list[str]:
    """Returns a mail's head and plain text, as `message_lines` does. An encrypted mail has only its head."""
    parsed = BytesParser(policy=email.policy.default).parsebytes(content)
    return [_shown(line) for line in _mail_lines(parsed)]


def _shown(line: str) -> str:
    """The line with Python's escapes for characters that are not printable."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def _mail_lines(parsed: Any) -> Iterator[str]:
    for name in HEADERS:
        if parsed[name]:
            yield f"{name}: {parsed[name]}"
    yield ""
    body = parsed.get_body(preferencelist=("plain",)) if isinstance(parsed, EmailMessage) else None
    if body is None:
        yield "(no plain text: the mail is encrypted for its recipient)"
        return
    yield from str(body.get_content()).splitlines()


def _read(session: Session, reading: PatientDataReading, key: str, version_id: str = "") -> bytes:
    """Audits the reading, then reads. A reading that fails has a second entry, with outcome `failed`."""
    reading = replace(reading, reason=looks.reason_for(reading.reason))
    looks.record_reading(session.context, session.principal, reading)
    try:
        return _object(session, key, version_id)
    except FAILURES:
        looks.record_reading(session.context, session.principal, reading, AuditOutcome.FAILED)
        raise


def _object(session: Session, key: str, version_id: str) -> bytes:
    version = {"VersionId": version_id} if version_id else {}
    answer: Any = if_exists(
        session.context.client("s3", CONFIG).get_object,
        *("404", "NoSuchKey", "NoSuchVersion"),
        Bucket=session.deployment.output("VaultBucket"),
        Key=key,
        **version,
    )
    if answer is None:
        raise ProblemError(f"The vault has no object {key}.")
    body: bytes = answer["Body"].read()
    return body
