"""The encounters table in DynamoDB: one batch read and one transaction for each event.

BatchGetItem reads the event's decision and every key of the message at once. TransactWriteItems writes
encounter, aliases and decision if the encounter still has the version that was read (DynamoDB developer
guide, "Amazon DynamoDB transactions: how it works").
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from lambdas.common.aws.clients import dependency
from lambdas.common.aws.item_reads import read_items
from lambdas.common.aws.item_writes import put
from lambdas.common.aws.items import Item
from lambdas.common.clock import expiry
from lambdas.common.contracts.encounters.encounter import Decision, Encounter
from lambdas.common.errors import DependencyUnavailableError
from lambdas.encounters.context import EncountersContext
from lambdas.encounters.indexes import SHARDS
from lambdas.encounters.items import (
    EncounterPrefix,
    decision_item,
    decision_of,
    encounter_item,
    encounter_of,
)
from lambdas.encounters.store import ConflictError, Due, Read, StoredEncounter, Write

CONFLICTS = frozenset({"ConditionalCheckFailed", "TransactionConflict"})

PutArguments = tuple[Item, str, Item | None]
"""An item to be written, and the condition of its writing with its values, as `item_writes.put` takes them."""


@dataclass(frozen=True, slots=True)
class EncounterTable:
    """Implements `EncounterStore`.

    Items are deleted `stored_days.encounters` after their newest event (attribute `expires_at`).
    """

    context: EncountersContext

    def read(self, event_id: str, keys: Collection[str]) -> Read:
        """As `EncounterStore.read`: one call, and another one where a key is an alias."""
        event_key = EncounterPrefix.EVENT.key(event_id)
        items = self._get({event_key, *keys})
        homes = {item["home"] for item in items.values() if "home" in item}
        items |= self._get(homes - items.keys())
        found = {}
        for key in keys:
            home = items.get(key, {}).get("home", key)
            if "version" in items.get(home, {}):
                found[key] = StoredEncounter(home=home, encounter=encounter_of(items[home]))
        decided = items.get(event_key)
        return Read(decision=decision_of(decided) if decided else None, encounters=found)

    def merged_into(self, patient_keys: Collection[str]) -> Mapping[str, str]:
        """As `EncounterStore.merged_into`."""
        items = self._get({EncounterPrefix.MERGED.key(key) for key in patient_keys})
        return {pk.removeprefix(EncounterPrefix.MERGED): item["into"] for pk, item in items.items()}

    def write(self, write: Write) -> None:
        """As `EncounterStore.write`."""
        table = self.context.settings.encounters_table
        try:
            with dependency("dynamodb"):
                self.context.client("dynamodb").transact_write_items(
                    TransactItems=[put(table, *one) for one in self._puts(write)]
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            reasons = {reason.get("Code") for reason in error.response["CancellationReasons"]}
            if reasons & CONFLICTS:
                raise ConflictError from None
            raise DependencyUnavailableError(
                f"dynamodb TransactWriteItems: {sorted(filter(None, reasons))}"
            ) from None

    def decisions(self, event_ids: Iterable[str]) -> dict[str, Decision]:
        """The decisions about these events by event id; one that was not decided is absent."""
        items = self._get({EncounterPrefix.EVENT.key(event_id) for event_id in event_ids})
        found = map(decision_of, items.values())
        return {decision.event_id: decision for decision in found}

    def archived(self, encounter_id: str) -> Encounter | None:
        """The encounter whose number was given to another patient; None for any other."""
        key = EncounterPrefix.ARCHIVE.key(encounter_id)
        item = self._get({key}).get(key)
        return encounter_of(item) if item else None

    def _get(self, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The items with these keys, by consistent reads."""
        table = self.context.settings.encounters_table
        found = read_items(self.context, table, ({"pk": key} for key in keys))
        return {item["pk"]: item for item in found}

    def _puts(self, write: Write) -> Iterator[PutArguments]:
        decision = write.decision
        expires = self._expires(decision.decided_at)
        yield self._put(
            EncounterPrefix.EVENT.key(decision.event_id),
            {**decision_item(decision), **expires},
            "attribute_not_exists(pk)",
        )
        for prior, survivor in write.links.items():
            yield self._put(EncounterPrefix.MERGED.key(prior), {"into": survivor})
        if write.encounter is None:
            return
        yield self._encounter(write, write.encounter, expires)
        home = {"home": write.home, **expires}
        for key in write.aliases:
            unless = "attribute_not_exists(pk) OR home = :home"
            yield self._put(key, home, unless, {":home": write.home})
        for key in write.moved_aliases:
            yield self._put(key, home)
        if write.replaces:
            key = EncounterPrefix.ARCHIVE.key(write.replaces.encounter.encounter_id)
            yield self._put(key, {**encounter_item(write.replaces.encounter), **expires})

    def _encounter(self, write: Write, encounter: Encounter, expires: Item) -> PutArguments:
        attributes = {**encounter_item(encounter), **_summary(write), **expires}
        attributes |= _due(write.due, write.home)
        before = write.replaces.encounter if write.replaces else None
        if before is None and encounter.version == 1:
            return self._put(write.home, attributes, "attribute_not_exists(pk)")
        version = before.version if before else encounter.version - 1
        known = before.encounter_id if before else encounter.encounter_id
        return self._put(
            write.home,
            attributes,
            "version = :version AND encounter_id = :id",
            {":version": version, ":id": known},
        )

    def _put(
        self, pk: str, attributes: Item, condition: str = "", values: Item | None = None
    ) -> PutArguments:
        return {"pk": pk, **attributes}, condition, values

    def _expires(self, decided_at: str) -> dict[str, int]:
        days = self.context.settings.stored_days.encounters
        return {"expires_at": expiry(days, datetime.fromisoformat(decided_at))}


def _summary(write: Write) -> dict[str, Any]:
    """The attributes of the encounter for the index `by_patient`."""
    found = msgspec.to_builtins(write.summary) if write.summary else {}
    return {name: value for name, value in found.items() if value}


def _due(due: Due | None, home: str) -> dict[str, str]:
    if due is None:
        return {}
    shard = int(hashlib.sha256(home.encode()).hexdigest(), 16) % SHARDS
    return {"due_shard": f"{due.why}#{shard}", "due_at": due.at}
