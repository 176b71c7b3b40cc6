"""Selects the items of the audit table that have the form of an entry, and names the others on stderr.

A principal with write access to the table may file an item of any form. A command shows the other entries
all the same; `ens audit verify` shows the faults of the item.
"""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

import click

from lambdas.common.aws.items import Item
from lambdas.common.contracts.audit import AuditEntry
from lambdas.common.contracts.document import read_as
from lambdas.common.errors import ContractError
from ops.events.timeline import Entry
from ops.output import one_line

MOMENTS = ("time", "started_at", "received_at", "release_at", "event_time")


def readable(items: Iterable[Item]) -> list[Entry]:
    """Returns the items that have the form of an audit entry. Names each other one on stderr."""
    found = []
    for item in items:
        if fault := _fault(item):
            said = f"Left out: entry {item['sk']} of event {item['event_id']}, which is damaged"
            click.echo(one_line(f"{said} ({fault}). See `ens audit verify`."), err=True)
        else:
            found.append(item)
    return found


def _fault(item: Item) -> str:
    """The first fault of the form; "" for an entry."""
    try:
        entry = read_as(AuditEntry, item)
        json.dumps(item)
    except ContractError as error:
        return str(error)
    except TypeError:
        return "a value that no entry has"
    if not entry.time:
        return "AuditEntry: time is missing"
    if None in item.values():
        return "AuditEntry: a member is null"
    return next(
        (
            f"AuditEntry: {name} is no moment"
            for name in MOMENTS
            if item.get(name) and not is_moment(item[name])
        ),
        "",
    )


def is_moment(text: str) -> bool:
    """Whether the text is a moment, ISO 8601 in UTC."""
    try:
        return datetime.fromisoformat(text).utcoffset() == timedelta()
    except ValueError:
        return False
