"""The audit trail: append-only entries, chained per event, so a missing or altered one is detected.

Each entry carries the hash of the one before it and its own. The chain's head has the last hash and is
sealed by AWS KMS. Entries and head are written in one transaction, on condition that the head is the one
that was read (docs/adr/0282-sealed-heads-and-daily-digests.md).
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.audit.canonical import EXPIRES, GENESIS, HEAD, hash_of
from lambdas.common.audit.forms import text_of
from lambdas.common.audit.seal import seal
from lambdas.common.aws import item_reads
from lambdas.common.aws.clients import dependency
from lambdas.common.aws.item_writes import put
from lambdas.common.aws.items import Item
from lambdas.common.clock import expiry, now
from lambdas.common.contracts.audit import AuditEntry
from lambdas.common.contracts.document import to_document, without_empty
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.function.context import Context

MAX_TOGETHER = 99
"""Most entries of one transaction: TransactWriteItems takes 100 actions, and one writes the head.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html"""

APPEND_TRIES = 12
IS_NEW = "attribute_not_exists(event_id)"
MAX_PAUSE_SECONDS = 0.2

WARNED = "warned"
"""Stands for the outcome in `outcome_time` of an entry with warnings, so that the index finds them."""

OTHERS_WERE_FIRST = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
"""Cancellation reasons of a transaction when another writer moved the chain's head."""
TRANSIENT_REASONS = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})


Decide = Callable[[list[Item]], Sequence[AuditEntry]]
"""Chooses the entries to append by those that the chain has."""


def append(context: Context, event_id: str, *entries: AuditEntry, head: Item | None = None) -> Item:
    """Appends entries to the event's chain and returns the last as stored.

    One transaction writes up to `MAX_TOGETHER` entries, all or none. More take several transactions, so a
    failure may leave the first of them written. `head` is the chain's head if the caller has just read it,
    empty for an event without entries. Raises `DependencyUnavailableError` when the table cannot be
    written, or when others append to the same chain faster than this writer can.
    """

    def heads() -> Iterator[Item]:
        if head is not None:
            yield head
        while True:
            yield item_reads.read_item(
                context, context.settings.audit_table, {"event_id": event_id, "sk": HEAD}
            )

    return _append(context, event_id, ((each, entries) for each in heads())) or {}


def append_decided(context: Context, event_id: str, decide: Decide) -> Item | None:
    """Appends the entries that `decide` returns and returns the last as stored; None for no entries.

    `decide` is asked again when another writer was faster, so that of two runs with the same fact one
    writes it. Errors as `append`.
    """

    def decided() -> Iterator[tuple[Item, Sequence[AuditEntry]]]:
        while True:
            found = items(context, event_id)
            yield head_of(found), decide(entries_of(found))

    return _append(context, event_id, decided())


def _append(
    context: Context, event_id: str, proposals: Iterator[tuple[Item, Sequence[AuditEntry]]]
) -> Item | None:
    """Appends the entries of the first proposal whose head is still the chain's."""
    for attempt, (head, entries) in zip(range(APPEND_TRIES), proposals, strict=False):
        if not entries:
            return None
        stored: list[Item] = []
        for entry in entries[:MAX_TOGETHER]:
            stored.append(chained(event_id, entry, stored[-1] if stored else head))
        if _write(context, stored, head):
            rest = entries[MAX_TOGETHER:]
            return append(context, event_id, *rest, head=stored[-1]) if rest else stored[-1]
        time.sleep(random.uniform(0, min(MAX_PAUSE_SECONDS, 0.02 * 2**attempt)))
    raise DependencyUnavailableError("dynamodb: the event's audit chain is contended")


def chained(event_id: str, new: AuditEntry, head: Item) -> Item:
    """The entry as stored after `head`: the chain's head, or the previous entry of this transaction.

    `head` is empty for the first entry.
    """
    # Members that are None or "" are left out: an index does not accept an empty key.
    entry = without_empty(to_document(new))
    if "documents" in entry:
        entry["documents"] = [without_empty(document) for document in entry["documents"]]
    sequence = int(head["seq"]) + 1 if head else 1
    moment = entry.get("time") or now()
    previous = head["hash"] if head else GENESIS
    content = {
        **entry,
        "event_id": event_id,
        "sk": f"{sequence:08d}",
        "seq": sequence,
        "time": moment,
        "day": moment[:10],
        "outcome_time": f"{WARNED if entry.get('warnings') else entry['outcome']}#{moment}",
        "prev_hash": previous,
    }
    return {**content, "hash": hash_of(previous, content)}


def entries(context: Context, event_id: str) -> list[Item]:
    """All entries of an event by time, those outside the chain included."""
    return entries_of(items(context, event_id))


def head_of(items: Iterable[Item]) -> Item:
    """The chain's head among the items of an event; empty for an event without entries."""
    return next((item for item in items if item["sk"] == HEAD), {})


def entries_of(items: Iterable[Item]) -> list[Item]:
    """The entries by time among the items of an event, which are entries and the head."""
    found = [item for item in items if item["sk"] != HEAD]
    return sorted(found, key=lambda item: (text_of(item, "time"), item["sk"]))


def _write(context: Context, stored: list[Item], head: Item) -> bool:
    """Writes entries and head together; False when another writer moved the head first."""
    table, last = context.settings.audit_table, stored[-1]
    unmoved = ("#hash = :previous", {":previous": head["hash"]}) if head else (IS_NEW, None)
    new_head = {
        "event_id": last["event_id"],
        "sk": HEAD,
        "seq": last["seq"],
        "hash": last["hash"],
        **seal(context, last["event_id"], last["seq"], last["hash"]),
    }
    kept = {EXPIRES: expiry(context.settings.stored_days.audit)}
    try:
        with dependency("dynamodb"):
            context.client("dynamodb").transact_write_items(
                TransactItems=[
                    put(table, new_head | kept, *unmoved),
                    *(put(table, entry | kept, IS_NEW) for entry in stored),
                ]
            )
    except ClientError as error:
        reasons = {
            reason["Code"]
            for reason in error.response.get("CancellationReasons", [])
            if reason.get("Code", "None") != "None"
        }
        if reasons and reasons <= OTHERS_WERE_FIRST:
            return False
        if reasons & TRANSIENT_REASONS:
            raise DependencyUnavailableError("dynamodb: the audit table throttles") from None
        raise
    return True


def items(context: Context, event_id: str) -> list[Item]:
    """All items of an event, its head included, read consistently."""
    return list(query(context, "event_id = :event", {":event": event_id}, ConsistentRead=True))


def query(context: Context, condition: str, values: Item, **more: Any) -> Iterator[Item]:
    """Yields every item of a Query on the audit table, as `item_reads.query`."""
    return item_reads.query(context, context.settings.audit_table, condition, values, **more)


def of_day(
    context: Context, day: str, outcome: str = "", values: Item | None = None, **more: Any
) -> Iterator[Item]:
    """Yields the entries of a day (YYYY-MM-DD, UTC) in the order of `outcome_time`.

    `outcome` chooses those with this outcome, or those with warnings (`WARNED`). `values` are of a filter.
    """
    condition, values = "#day = :day", {":day": day, **(values or {})}
    if outcome:
        condition += " AND begins_with(outcome_time, :outcome)"
        values[":outcome"] = f"{outcome}#"
    return query(context, condition, values, IndexName="by_day", **more)
