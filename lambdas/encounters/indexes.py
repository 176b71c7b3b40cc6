"""Reads the indexes of the encounters table: a patient's encounters, and those that the clock looks at."""

from collections.abc import Iterator

import msgspec

from lambdas.common.aws.item_reads import query
from lambdas.common.aws.item_writes import update
from lambdas.common.aws.items import Item
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

    None where another encounter has the key by now. A reference that is there already is not written again.
    """
    item = update(
        context,
        context.settings.encounters_table,
        {"pk": key},
        {"patient_ref": patient_ref},
        condition="#encounter_id = :id AND #patient_ref <> :ref",
        values={":id": encounter_id, ":ref": patient_ref},
        # The version makes a message that read the encounter before decide once more.
        add={"version": 1},
    ).item
    mine = item.get("encounter_id") == encounter_id
    return msgspec.convert(item, EncounterSummary) if mine else None


def of_patient(context: UsesEncounters, patient_ref: str, since: str) -> list[EncounterSummary]:
    """The patient's encounters that began after a moment, at every sender, the oldest first."""
    values = {":ref": patient_ref, ":since": since}
    condition = "patient_ref = :ref AND began_at >= :since"
    return [
        msgspec.convert(item, EncounterSummary)
        for item in _query(context, "by_patient", condition, values)
    ]


def due(context: UsesEncounters, why: DueReason, before: str) -> Iterator[str]:
    """The keys of the encounters that are due for this reason before a moment."""
    for shard in range(SHARDS):
        values = {":shard": f"{why}#{shard}", ":before": before}
        condition = "due_shard = :shard AND due_at <= :before"
        yield from (item["pk"] for item in _query(context, "by_due", condition, values))


def settle_due(
    context: UsesEncounters, stored: StoredEncounter, closed_at: str, due: Due | None
) -> bool:
    """Closes an encounter, or gives it another moment for the clock (`closed_at` is ""); False if it changed.

    Without `due` the clock does not look at it again.
    """
    changes: Item = {"due_at": due.at} if due else {"due_shard": None, "due_at": None}
    if closed_at:
        changes |= {"closed_at": closed_at, "phase": Phase.CLOSED}
    return update(
        context,
        context.settings.encounters_table,
        {"pk": stored.home},
        changes,
        condition="#version = :version",
        values={":version": stored.encounter.version},
        add={"version": 1},
    ).applied


def _query(context: UsesEncounters, index: str, condition: str, values: Item) -> Iterator[Item]:
    return query(context, context.settings.encounters_table, condition, values, IndexName=index)
