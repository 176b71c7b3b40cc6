"""Builds audit entries for tests of what reads the trail."""

from typing import Any

import boto3

from lambdas.common.contracts.audit import AuditEntry
from lambdas.common.contracts.document import read_as


def entry(step: str, action: str, outcome: str = "ok", **facts: Any) -> AuditEntry:
    """The entry that a step writes. `facts` are members of the entry, as JSON."""
    document = {"step": step, "actor": f"lambda:{step}", "action": action, "outcome": outcome}
    started_at = facts.pop("started_at", "2026-11-23T13:12:05.000Z")
    return read_as(AuditEntry, {**document, "started_at": started_at, **facts})


def file_damaged(event_id: str, **members: Any) -> None:
    """Files items under an event that lack what every entry has, and have members of other types."""
    others = {"action": [None], "time": 1, "recipient_ref": [None], "ses_event": [None]}
    table = boto3.resource("dynamodb").Table("audit")
    for key, forged in (("x", {}), ("y", others)):
        table.put_item(Item={"event_id": event_id, "sk": key, **members, **forged})
