"""Reads the indexes of the encounters table: a patient's encounters, and those that the clock looks at."""

from collections.abc import Iterator
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from lambdas.common.aws.clients import dependency
from lambdas.common.aws.item_reads import query
from lambdas.common.aws.items import Item, from_item, to_item
from lambdas.common.contracts.encounters.encounter import Phase
from lambdas.encounters.context import UsesEncounters
from lambdas.encounters.items import EncounterSummary
from lambdas.encounters.store import Due, DueReason, StoredEncounter

SHARDS = 8
"""Partitions of the index `by_due`, so that one does not take every write."""


def link(
    context: UsesEncounters, key: str, encounter_id: str, patient_ref: str
) -> EncounterSummary | None:
    """Adds the registry's reference of the patient to an encounter; returns the encounter.

    None where another encounter has the key by now. A reference that is there already is not written
    again.
    """
    try:
        with dependency("dynamodb"):
            answer = context.client("dynamodb").update_item(
                TableName=context.settings.encounters_table,
                Key={"pk": {"S": key}},
                # The version makes a message that read the encounter before decide once more.
                UpdateExpression="SET patient_ref = :ref ADD version :one",
                ConditionExpression="encounter_id = :id AND patient_ref <> :ref",
                ExpressionAttributeValues={
                    ":ref": {"S": patient_ref},
                    ":id": {"S": encounter_id},
                    ":one": {"N": "1"},
                },
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        item = from_item(error.response.get("Item", {}))
    else:
        item = from_item(answer["Attributes"])
    mine = item.get("encounter_id") == encounter_id
    return msgspec.convert(item, EncounterSummary) if mine else None


def of_patient(context: UsesEncounters, patient_ref: str, since: str) -> list[EncounterSummary]:
    """The patient's encounters that began after a moment, at every sender, the oldest first."""
    values = {":ref": {"S": patient_ref}, ":since": {"S": since}}
    condition = "patient_ref = :ref AND began_at >= :since"
    return [
        msgspec.convert(item, EncounterSummary)
        for item in _query(context, "by_patient", condition, values)
    ]


def due(context: UsesEncounters, why: DueReason, before: str) -> Iterator[str]:
    """The keys of the encounters that are due for this reason before a moment."""
    for shard in range(SHARDS):
        values = {":shard": {"S": f"{why}#{shard}"}, ":before": {"S": before}}
        condition = "due_shard = :shard AND due_at <= :before"
        yield from (item["pk"] for item in _query(context, "by_due", condition, values))


def settle_due(
    context: UsesEncounters, stored: StoredEncounter, closed_at: str, due: Due | None
) -> bool:
    """Closes an encounter, or gives it another moment for the clock (`closed_at` is ""); False if it changed.

    Without `due` the clock does not look at it again.
    """
    values: dict[str, Any] = {":version": stored.encounter.version, ":one": 1}
    sets = []
    if due:
        sets.append("due_at = :at")
        values[":at"] = due.at
    if closed_at:
        sets.append("closed_at = :closed, phase = :phase")
        values |= {":closed": closed_at, ":phase": str(Phase.CLOSED)}
    expression = f"SET {', '.join(sets)}" if sets else ""
    removed = "" if due else " REMOVE due_shard, due_at"
    try:
        with dependency("dynamodb"):
            context.client("dynamodb").update_item(
                TableName=context.settings.encounters_table,
                Key={"pk": {"S": stored.home}},
                UpdateExpression=f"{expression}{removed} ADD version :one",
                ConditionExpression="version = :version",
                ExpressionAttributeValues=to_item(values),
            )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


def _query(context: UsesEncounters, index: str, condition: str, values: Item) -> Iterator[Item]:
    return query(
        context.client("dynamodb"),
        context.settings.encounters_table,
        IndexName=index,
        KeyConditionExpression=condition,
        ExpressionAttributeValues=values,
    )
