"""The items of the encounters table, and their conversion to the types of the contracts.

| pk | Item |
|---|---|
| `visit#…`, `patient_time#…`, `own#…` | an encounter, or an alias: the key of the encounter's item |
| `account#…`, `patient#…` | an alias that leads to the newest encounter |
| `event#<event id>` | a decision |
| `merged#<patient key>` | the surviving patient key |
| `archive#<encounter id>` | an encounter whose number was given to another patient |
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import msgspec

from lambdas.common.aws.items import Item
from lambdas.common.contracts.encounters.encounter import Decision, Encounter
from lambdas.encounters.store import Summary


class EncounterPrefix(StrEnum):
    """The beginnings of the keys of items that are no encounter and no alias."""

    EVENT = "event#"
    MERGED = "merged#"
    ARCHIVE = "archive#"

    def key(self, name: str) -> str:
        """The key of an item."""
        return f"{self}{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterSummary(Summary):
    """The attributes of an encounter that the index `by_patient` holds.

    `patient_keys` are in the whole item alone.
    """

    pk: str
    encounter_id: str
    sender: str
    patient_ref: str
    patient_keys: tuple[str, ...] = ()


def encounter_item(encounter: Encounter) -> dict[str, Any]:
    """The attributes of an encounter; those with a default value are left out.

    Until the registry knows the patient, `patient_ref` is the sender's own patient key, so that the index
    finds the encounter later.
    """
    known = encounter.patient_ref or next(iter(encounter.patient_keys), "")
    return _lean({**msgspec.to_builtins(encounter), "patient_ref": known})


def encounter_of(item: Item) -> Encounter:
    """The encounter in an item. Raises `msgspec.ValidationError` for one of another shape."""
    encounter = msgspec.convert(item, Encounter)
    linked = encounter.patient_ref not in encounter.patient_keys
    return encounter if linked else replace(encounter, patient_ref="")


def decision_item(decision: Decision) -> dict[str, Any]:
    """The attributes of a decision."""
    return _lean(msgspec.to_builtins(decision))


def decision_of(item: Item) -> Decision:
    """The decision in an item. Raises `msgspec.ValidationError` for one of another shape."""
    return msgspec.convert(item, Decision)


def _lean(document: dict[str, Any]) -> dict[str, Any]:
    """A document without default values: an encounter of ten events fits into about 3 kB."""
    return {name: _inner(value) for name, value in document.items() if not _is_default(name, value)}


def _inner(value: Any) -> Any:
    if isinstance(value, dict):
        return _lean(value)
    return [_inner(one) for one in value] if isinstance(value, list) else value


def _is_default(name: str, value: Any) -> bool:
    """Whether a value is its member's default. `died` False is a statement, its default is None."""
    if value is False:
        return name != "died"
    return value in ("", [], {}, None)
