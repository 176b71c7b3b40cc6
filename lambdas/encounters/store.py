"""The contract between TrackEncounter and the store of encounters."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from lambdas.common.contracts.encounters.encounter import Decision, Encounter, EncounterClass, Phase


class ConflictError(Exception):
    """Another message of the encounter was written meanwhile. The caller reads again and decides anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEncounter:
    """An encounter and the key under which its item is; `home` is "" before its first write."""

    home: str
    encounter: Encounter


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The answer to a read: the event's decision if it was decided before, and the encounters by key."""

    decision: Decision | None = None
    encounters: Mapping[str, StoredEncounter] = field(default_factory=dict)


class DueReason(StrEnum):
    """The reason of the next scheduled check of an encounter, or of an operator's look.

    `open`: it has no end yet. `unbegun`: the same, and no message began it, although its class is told.
    `orphan`: only cancellations name it.
    """

    OPEN = "open"
    UNBEGUN = "unbegun"
    ORPHAN = "orphan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The time and reason of the next scheduled check of an encounter."""

    why: DueReason
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The attributes of an encounter by which a patient's encounters are compared.

    `protected`: a message of the encounter protects it (PV1-16, PD1-12 and others).
    """

    phase: Phase
    began_at: str
    ended_at: str = ""
    classes: tuple[EncounterClass, ...] = ()
    facility: str = ""
    disposition: str = ""
    discharged_to: str = ""
    protected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """All that one decision writes, in one transaction.

    `aliases` are new keys of the encounter, `moved_aliases` those that may have led to another one.
    `replaces` is the encounter whose home the new one takes. `links` maps merged patient keys to the
    surviving one.
    """

    decision: Decision
    encounter: Encounter | None = None
    home: str = ""
    summary: Summary | None = None
    due: Due | None = None
    aliases: Collection[str] = ()
    moved_aliases: Collection[str] = ()
    replaces: StoredEncounter | None = None
    links: Mapping[str, str] = field(default_factory=dict)


class EncounterStore(Protocol):
    """Reads and writes encounters. Implementations: DynamoDB, and memory in the benchmark."""

    def read(self, event_id: str, keys: Collection[str]) -> Read:
        """The event's decision, and the encounter under each of the keys, by consistent reads."""

    def merged_into(self, patient_keys: Collection[str]) -> Mapping[str, str]:
        """For those of the patient keys that were merged, the surviving key."""

    def write(self, write: Write) -> None:
        """Writes a decision. Raises `ConflictError` when the encounter has another version by now."""
