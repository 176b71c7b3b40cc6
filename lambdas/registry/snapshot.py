"""The registry at one moment, as far as some deliveries depend on it: one BatchGetItem in nearly all cases."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce

from lambdas.common.contracts.recipients.consent import Consent
from lambdas.registry import from_items
from lambdas.registry.context import RegistryContext
from lambdas.registry.keys import (
    At,
    Item,
    Key,
    at,
    consents_key,
    patient_key,
    provider_key,
    relationship_key,
)
from lambdas.registry.records import Provider, Relationship
from lambdas.registry.table import items_by_key

MAX_MERGES = 5
"""How many merges of a patient are followed, one after the other."""


@dataclass(frozen=True, slots=True)
class RegistrySnapshot:
    """The providers, relationships and consents of some patients at one moment."""

    items: dict[At, Item] = field(repr=False)

    def provider(self, provider_id: str) -> Provider | None:
        """The provider, None where the registry has none of this id."""
        item = self.items.get(at(provider_key(provider_id)))
        return next(iter(from_items.providers({at(item): item}).values())) if item else None

    def relationship(self, patients: Sequence[str], provider_id: str) -> Relationship | None:
        """The provider's relationship with the patient; of a merged patient that of the surviving one first."""
        keys = (relationship_key(one, provider_id) for one in self._with_survivors(patients))
        found = [from_items.relationship(item) for one in keys if (item := self.items.get(at(one)))]
        return reduce(Relationship.joined, found) if found else None

    def consents(self, patients: Sequence[str]) -> tuple[Consent, ...]:
        """All consents of the patient, those under the ids of merged patients too.

        A merge copies a consent to the surviving patient. The copy alone counts then: it may have ended
        since.
        """
        found: list[Consent] = []
        for one in self._with_survivors(patients):
            into = (other for other in self._with_survivors([one]) if other != one)
            copied = {copy.consent_id for other in into for copy in self._own_consents(other)}
            found += [own for own in self._own_consents(one) if own.consent_id not in copied]
        return tuple(dict.fromkeys(found))

    def _own_consents(self, patient_id: str) -> tuple[Consent, ...]:
        return from_items.consents(self.items.get(at(consents_key(patient_id)), {}))

    def _with_survivors(self, patients: Sequence[str]) -> list[str]:
        """The ids of the patient, the surviving one first."""
        known = list(dict.fromkeys(patients))
        for _ in range(MAX_MERGES):
            new = [one for one in self.survivors(known) if one not in known]
            known = [*new, *known]
            if not new:
                break
        return known

    def survivors(self, patients: Iterable[str]) -> list[str]:
        """The patients into whom these were merged."""
        found = [self.items.get(at(patient_key(one)), {}).get("merged_into") for one in patients]
        return [one for one in found if one]


def snapshot(
    context: RegistryContext, wanted: Sequence[tuple[Sequence[str], Iterable[str]]]
) -> RegistrySnapshot:
    """The registry as it is now, for patients (all ids of each) with the providers who may be told of them.

    A patient who was merged since costs one more call for each merge. Raises
    `DependencyUnavailableError` when DynamoDB throttles or cannot be reached.
    """
    pairs = [(set(patients), set(providers)) for patients, providers in wanted]
    found = RegistrySnapshot({})
    asked: set[At] = set()
    for _ in range(MAX_MERGES + 1):
        keys = [key for key in _keys(pairs) if at(key) not in asked]
        if not keys:
            break
        asked |= set(map(at, keys))
        found.items.update(items_by_key(context, keys))
        for patients, _providers in pairs:
            patients.update(found.survivors(list(patients)))
    return found


def _keys(pairs: Iterable[tuple[set[str], set[str]]]) -> list[Key]:
    return [
        key
        for patients, providers in pairs
        for key in (
            *(one(patient_id) for patient_id in patients for one in (patient_key, consents_key)),
            *(relationship_key(one, other) for one in patients for other in providers),
            *map(provider_key, providers),
        )
    ]
