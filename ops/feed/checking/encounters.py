"""Decides about a feed's events by the encounter rules of the workflow, with the encounters in memory.

The number of encounters is limited: the one whose last message is longest ago is forgotten. References
are made with a key of this run alone.
"""

import secrets
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import msgspec

from lambdas.common.contracts.encounters.encounter import Decision, Encounter
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.keys import KeyRing
from lambdas.encounters.store import Read, StoredEncounter, Write
from lambdas.track_encounter.profile import EncounterProfile
from lambdas.track_encounter.reading import encounter_message, further_messages
from lambdas.track_encounter.tracking import track

MAX_ENCOUNTERS = 50_000
"""About 2 kB each."""


@dataclass(slots=True)
class EncounterMemory:
    """Implements `EncounterStore` for one run, for events that each come once.

    Encounters are held as bytes, which take a fraction of the objects' memory.
    """

    maximum: int = MAX_ENCOUNTERS
    forgotten: int = 0
    _homes: OrderedDict[str, bytes] = field(default_factory=OrderedDict)
    _keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _aliases: dict[str, str] = field(default_factory=dict)
    _links: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def read(self, event_id: str, keys: Collection[str]) -> Read:  # noqa: ARG002
        """As `EncounterStore.read`; no event was decided before."""
        found: dict[str, StoredEncounter] = {}
        for key in keys:
            home = self._aliases.get(key, key)
            if (stored := self._homes.get(home)) is not None:
                encounter = msgspec.msgpack.decode(stored, type=Encounter)
                found[key] = StoredEncounter(home=home, encounter=encounter)
        return Read(encounters=found)

    def merged_into(self, patient_keys: Collection[str]) -> Mapping[str, str]:
        """As `EncounterStore.merged_into`."""
        return {key: self._links[key] for key in patient_keys if key in self._links}

    def write(self, write: Write) -> None:
        """As `EncounterStore.write`. There is one writer, so there is no conflict."""
        self._links.update(write.links)
        while len(self._links) > self.maximum:
            self._links.popitem(last=False)
        if write.encounter is None:
            return
        self._homes[write.home] = msgspec.msgpack.encode(write.encounter)
        self._homes.move_to_end(write.home)
        new = {*write.aliases, *write.moved_aliases}
        for key in new:
            self._aliases[key] = write.home
        self._keys[write.home] = tuple({*self._keys.get(write.home, ()), *new})
        while len(self._homes) > self.maximum:
            self._forget()

    def _forget(self) -> None:
        home, _ = self._homes.popitem(last=False)
        for key in self._keys.pop(home, ()):
            if self._aliases.get(key) == home:
                del self._aliases[key]
        self.forgotten += 1


class EncounterReplay:
    """Decides about events in the order of the feed."""

    def __init__(self, profile: EncounterProfile, maximum: int = MAX_ENCOUNTERS) -> None:
        self.memory = EncounterMemory(maximum)
        self._profile = profile
        self._ring = KeyRing(current="run", keys={"run": secrets.token_bytes(32)})

    def decide(self, event: PatientEvent, received_at: str) -> Decision:
        """The decision about an event. Raises the errors of TrackEncounter.

        `received_at` is taken for the present time too: the event comes when it is sent.
        """
        heard = (event, self._profile, self._ring, received_at)
        now = partial(datetime.fromisoformat, received_at)
        for further in further_messages(*heard):
            track(self.memory, further, self._profile, now)
        return track(self.memory, encounter_message(*heard), self._profile, now)

    def patient(self, event: PatientEvent) -> int:
        """A number that stands for the event's patient in this run."""
        parts = [
            (one.assigning_authority or one.universal_id, one.value)
            for one in event.patient.identifiers[:1]
        ]
        key = self._ring.mac(repr(parts or event.event_id).encode())
        return int(key[:16], 16)
