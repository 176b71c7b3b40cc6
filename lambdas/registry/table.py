"""The registry in DynamoDB: a look-up takes two round trips in nearly all cases.

1. BatchGetItem: the message's identifiers of patient and practitioners. An identifier's item carries a
   hint, the ids of the patient's providers.
2. BatchGetItem: the patient and their consents, and for each hinted provider the relationship and the provider.

The patient's own item decides which providers are related (`circle`); those that the hint lacks are read
in a third trip. Where the item has no `circle`, the patient's partition is queried. A surrogate is read
only when a provider is away.

Reads are strongly consistent: a relationship that was just ended must not be told once more.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lambdas.common.aws.item_reads import query, read_items
from lambdas.common.contracts.recipients.consent import Consent
from lambdas.registry import from_items
from lambdas.registry.context import RegistryContext
from lambdas.registry.keys import (
    At,
    Item,
    Key,
    at,
    consents_key,
    identifier_key,
    key,
    patient_key,
    provider_identifier_key,
    provider_key,
    relationship_key,
)
from lambdas.registry.records import PatientRecord, Provider, Relationship

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Filed:
    """The records that the registry finds by an identifier: patients and providers."""

    patients: dict[Pair, tuple[str, ...]] = field(repr=False)
    providers: dict[Pair, str] = field(repr=False)
    hints: dict[str, frozenset[str]] = field(repr=False, default_factory=dict)
    merged: dict[str, tuple[str, ...]] = field(repr=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class CareFile:
    """A patient of the registry, everybody related to them (ended relationships too), and providers by id.

    `record` is None where the registry does not file the patient. `consents` are all of the patient's,
    ended ones too.
    """

    record: PatientRecord | None = field(repr=False)
    relationships: list[Relationship] = field(repr=False)
    providers: dict[str, Provider] = field(repr=False)
    consents: tuple[Consent, ...] = field(repr=False, default=())


def filed_under(
    context: RegistryContext, patient_pairs: Iterable[Pair], provider_pairs: Iterable[Pair]
) -> Filed:
    """The patients and providers of (authority, value) pairs; a pair that names nobody is absent.

    `hints` are provider ids by patient id; `merged` the ids that were merged into a patient.

    Raises `DependencyUnavailableError` when DynamoDB throttles or cannot be reached.
    """
    patients = {pair: identifier_key(*pair) for pair in patient_pairs}
    providers = {pair: provider_identifier_key(*pair) for pair in provider_pairs}
    found = items_by_key(context, [*patients.values(), *providers.values()])
    hints: dict[str, frozenset[str]] = {}
    merged: dict[str, tuple[str, ...]] = {}
    for known in patients.values():
        item = found.get(at(known), {})
        for patient_id in from_items.texts(item.get("patient_id", ())):
            hints[patient_id] = hints.get(patient_id, frozenset()) | item.get("circle", set())
            if item.get("merged_from"):
                merged[patient_id] = tuple(sorted(item["merged_from"]))
    return Filed(
        patients={
            pair: from_items.texts(found[at(known)]["patient_id"])
            for pair, known in patients.items()
            if at(known) in found
        },
        providers={
            pair: found[at(known)]["provider_id"]
            for pair, known in providers.items()
            if at(known) in found
        },
        hints=hints,
        merged=merged,
    )


def care_file(
    context: RegistryContext, patient_id: str, hint: Iterable[str] = (), others: Iterable[str] = ()
) -> CareFile:
    """The patient with all related providers; `others` are further providers, who need not be related.

    Raises `DependencyUnavailableError` when DynamoDB throttles or cannot be reached.
    """
    hinted, wanted = set(hint), set(others)
    at_patient = patient_key(patient_id)
    at_consents = consents_key(patient_id)
    found = items_by_key(
        context,
        [at_patient, at_consents, *_circle_keys(patient_id, hinted), *map(provider_key, wanted)],
    )
    patient = found.get(at(at_patient))
    if patient is None or "circle" not in patient:
        items = _partition(context, patient_id)
        found.update(items)
        patient = found.get(at(at_patient))
        circle = {
            from_items.provider_id(item)
            for (_, sk), item in items.items()
            if from_items.is_related(sk)
        }
        found.update(
            items_by_key(context, [provider_key(known) for known in circle - hinted - wanted])
        )
    else:
        circle = patient["circle"]
        found.update(items_by_key(context, _circle_keys(patient_id, circle - hinted)))
    return CareFile(
        record=from_items.patient(patient_id, patient) if patient else None,
        relationships=[
            from_items.relationship(item)
            for (_, sk), item in found.items()
            if from_items.is_related(sk)
        ],
        providers=from_items.providers(found),
        consents=from_items.consents(found.get(at(at_consents), {})),
    )


def providers(context: RegistryContext, provider_ids: Iterable[str]) -> dict[str, Provider]:
    """The providers by id; one whom the registry lacks is absent."""
    wanted = [provider_key(provider_id) for provider_id in provider_ids]
    return from_items.providers(items_by_key(context, wanted))


def _circle_keys(patient_id: str, provider_ids: Iterable[str]) -> list[Key]:
    return [
        one
        for provider_id in sorted(provider_ids)
        for one in (relationship_key(patient_id, provider_id), provider_key(provider_id))
    ]


def _partition(context: RegistryContext, patient_id: str) -> dict[At, Item]:
    """Every item of the patient's partition."""
    found = query(
        context,
        context.settings.registry_table,
        "pk = :patient",
        {":patient": key("patient", patient_id)},
        ConsistentRead=True,
    )
    return {at(item): item for item in found}


def items_by_key(context: RegistryContext, keys: Iterable[Key]) -> dict[At, Item]:
    """The registry's items by key, read consistently; a missing one is absent. Raises as `read_items`."""
    found = read_items(context, context.settings.registry_table, keys)
    return {at(item): item for item in found}
