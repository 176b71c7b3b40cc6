"""Caches answers of an external MPI for minutes, so that a repeated query is not sent again.

There is one item for each identifier of a question, under a keyed reference of it. An answer counts only
while all of these items hold it. A change of one identifier overwrites its item (`forget`), and so drops
the answer. An answer that was under way meanwhile is not stored: each write has the condition that the item
is still the one that was read before the MPI was asked.

An item holds the patient's id, or that nobody was found. The demographics are part of the question, as a
keyed reference. An answer that contradicts them, or that a person has to decide on, is not stored.
"""

import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Self

import msgspec
from botocore.exceptions import ClientError

from hl7.warnings import MessageWarning
from lambdas.common.aws.clients import dependency
from lambdas.common.aws.item_writes import put
from lambdas.common.aws.items import Item, from_item, to_item
from lambdas.common.contracts.message.patient import Patient
from lambdas.common.errors import DependencyUnavailableError
from lambdas.common.keys import KeyRing
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.matching.identifiers import UsableIdentifier
from lambdas.registry.records import Match, PatientRecord

FOUND_SECONDS, NOBODY_SECONDS = 300, 30
"""Seconds for which a found patient, and an answer without a patient, are cached."""

FORGOTTEN_SECONDS = 600
"""Seconds for which a change is recorded: longer than any look-up takes."""

MAX_IDENTIFIERS = 20
"""Most identifiers of a question whose answer is cached. Nearly all patients have four or fewer."""

BATCH = 25
"""Items that one BatchWriteItem takes."""


@dataclass(frozen=True, slots=True)
class Question:
    """The keys of a query: the references of its identifiers, and one reference of the whole query.

    `earlier` is the same query under older reference keys, which is read and not written.
    """

    identifiers: tuple[str, ...]
    reference: str
    earlier: tuple[Self, ...] = ()

    @classmethod
    def of(
        cls,
        context: LookupContext,
        usable: Sequence[UsableIdentifier],
        patient: Patient,
        identifier_alone: bool = False,
    ) -> Self:
        """The query that a message makes of the MPI in use, the rule of agreement (`identifier_alone`) included."""
        name = patient.name
        asked = [text for one in usable for text in (one.position, one.value, *one.authorities)]
        described = [context.settings.mpi_client_name, name.family, name.given]
        described += [patient.birth_date, patient.sex, str(patient.birth_date_unreadable)]
        if identifier_alone:
            described.append("identifier_alone")
        made = [
            cls(_references(keys, usable), keys.reference("question", *described, *asked))
            for keys in _rings(context)
        ]
        return replace(made[0], earlier=tuple(made[1:]))


@dataclass(frozen=True, slots=True)
class Recalled:
    """The cached answer to a query: whether there is one, and the patient (None: nobody was found).

    `seen` are the stamps of the items that were there; None where they could not be read.
    """

    answered: bool = False
    found: Match | None = field(repr=False, default=None)
    seen: dict[str, str] | None = field(repr=False, default=None)


def recall(context: LookupContext, question: Question) -> Recalled:
    """The cached answer to a query, also under an older reference key; none when the table cannot be read."""
    recalled = _recall(context, question)
    if recalled.answered:
        return recalled
    earlier = (_recall(context, one) for one in question.earlier)
    answered = next((one for one in earlier if one.answered), None)
    return replace(answered, seen=recalled.seen) if answered else recalled


def _recall(context: LookupContext, question: Question) -> Recalled:
    if not 0 < len(question.identifiers) <= MAX_IDENTIFIERS:
        return Recalled()
    table = context.settings.mpi_cache_table
    keys = [to_item({"identifier_ref": reference}) for reference in question.identifiers]
    try:
        with dependency("dynamodb"):
            answer = context.client("dynamodb").batch_get_item(
                RequestItems={table: {"Keys": keys, "ConsistentRead": True}}
            )
    except DependencyUnavailableError:
        return Recalled()
    if answer.get("UnprocessedKeys"):
        return Recalled()
    items = [from_item(item) for item in answer["Responses"].get(table, ())]
    seen = {item["identifier_ref"]: item["stamp"] for item in items}
    if not _answers(question, items):
        return Recalled(seen=seen)
    return Recalled(answered=True, found=_match(items[0]), seen=seen)


def store(
    context: LookupContext, question: Question, recalled: Recalled, found: Match | None
) -> None:
    """Stores an answer, unless an item changed since `recalled`, or the table cannot be written."""
    if recalled.seen is None:
        return
    table = context.settings.mpi_cache_table
    item = {
        "question": question.reference,
        "stamp": uuid.uuid4().hex,
        "expires_at": int(time.time()) + (FOUND_SECONDS if found else NOBODY_SECONDS),
        **(_answer(found) if found else {}),
    }
    puts = [
        put(table, {**item, "identifier_ref": one}, *_unchanged(recalled.seen.get(one)))
        for one in question.identifiers
    ]
    with suppress(DependencyUnavailableError):
        try:
            with dependency("dynamodb"):
                context.client("dynamodb").transact_write_items(TransactItems=puts)
        except ClientError as error:
            # Another run wrote first, or the entry was deleted: this answer may be stale.
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise


def forget(context: LookupContext, usable: Sequence[UsableIdentifier]) -> tuple[str, ...]:
    """Drops every answer about the identifiers, those under way too, and returns the references of these.

    Answers under older reference keys are dropped too. Raises `DependencyUnavailableError`: the event of
    the change must be processed again.
    """
    references = [ref for keys in _rings(context) for ref in _references(keys, usable)]
    forgotten = {"stamp": uuid.uuid4().hex, "expires_at": int(time.time()) + FORGOTTEN_SECONDS}
    for start in range(0, len(references), BATCH):
        items = [{"identifier_ref": one, **forgotten} for one in references[start : start + BATCH]]
        puts = [{"PutRequest": {"Item": to_item(item)}} for item in items]
        with dependency("dynamodb"):
            answer = context.client("dynamodb").batch_write_item(
                RequestItems={context.settings.mpi_cache_table: puts}
            )
        if answer.get("UnprocessedItems"):
            raise DependencyUnavailableError("dynamodb BatchWriteItem: items stay unprocessed")
    return _references(context.reference_keys, usable)


def _rings(context: LookupContext) -> list[KeyRing]:
    """The ring of reference keys, once for each key that is tried, with that one as the current one."""
    keys = context.reference_keys
    return [keys.under([key_id]) for key_id in keys.tried]


def _references(keys: KeyRing, usable: Sequence[UsableIdentifier]) -> tuple[str, ...]:
    pairs = (pair for identifier in usable for pair in identifier.pairs())
    return tuple(dict.fromkeys(keys.reference("identifier", *pair) for pair in pairs))


def _answers(question: Question, items: Sequence[Item]) -> bool:
    """Whether the items are one answer to this very question, and all of it, and not too old."""
    return (
        len(items) == len(question.identifiers)
        and len({item["stamp"] for item in items}) == 1
        # DynamoDB removes expired items within days, not at once.
        and all(item["expires_at"] > time.time() for item in items)
        and all(item.get("question") == question.reference for item in items)
    )


def _answer(found: Match) -> Item:
    return {
        "patient_id": found.record.patient_id,
        "matched_on": list(found.matched_on),
        "merged_from": list(found.merged_from),
        "warnings": [asdict(warning) for warning in found.warnings],
    }


def _match(item: Item) -> Match | None:
    if "patient_id" not in item:
        return None
    return Match(
        PatientRecord(item["patient_id"]),
        tuple(item["matched_on"]),
        tuple(item["merged_from"]),
        msgspec.convert(item["warnings"], tuple[MessageWarning, ...]),
    )


def _unchanged(stamp: str | None) -> tuple[str, Item | None]:
    """The condition that an item still has this stamp, or is not there."""
    if stamp is None:
        return "attribute_not_exists(identifier_ref)", None
    return "stamp = :seen", {":seen": stamp}
