"""A store of encounters in memory, with the conditions of the table in DynamoDB."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from lambdas.common.contracts.encounters.encounter import Decision
from lambdas.encounters.store import ConflictError, Due, Read, StoredEncounter, Write


@dataclass(slots=True)
class MemoryStore:
    """Implements `EncounterStore`; `archive` holds encounters whose number was given away."""

    homes: dict[str, StoredEncounter] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    due: dict[str, Due] = field(default_factory=dict)
    archive: list[StoredEncounter] = field(default_factory=list)

    def read(self, event_id: str, keys: Collection[str]) -> Read:
        """As `EncounterStore.read`."""
        found = {}
        for key in keys:
            stored = self.homes.get(self.aliases.get(key, key))
            if stored:
                found[key] = stored
        return Read(decision=self.decisions.get(event_id), encounters=found)

    def merged_into(self, patient_keys: Collection[str]) -> Mapping[str, str]:
        """As `EncounterStore.merged_into`."""
        return {key: self.links[key] for key in patient_keys if key in self.links}

    def write(self, write: Write) -> None:
        """As `EncounterStore.write`."""
        self._check(write)
        self.decisions[write.decision.event_id] = write.decision
        self.links.update(write.links)
        if write.encounter is None:
            return
        if write.replaces:
            self.archive.append(write.replaces)
        self.homes[write.home] = StoredEncounter(home=write.home, encounter=write.encounter)
        for key in (*write.aliases, *write.moved_aliases):
            self.aliases[key] = write.home
        if write.due:
            self.due[write.home] = write.due
        else:
            self.due.pop(write.home, None)

    def _check(self, write: Write) -> None:
        written = [write.home, *write.aliases, *write.moved_aliases]
        if len(set(written)) < len(written):
            raise ValueError("Transaction request cannot include multiple operations on one item")
        if write.decision.event_id in self.decisions:
            raise ConflictError
        if write.encounter is None:
            return
        stored = self.homes.get(write.home)
        version = stored.encounter.version if stored else 0
        before = write.replaces.encounter.version if write.replaces else write.encounter.version - 1
        if version != before:
            raise ConflictError
        for key in write.aliases:
            if key in self.homes or self.aliases.get(key, write.home) != write.home:
                raise ConflictError
