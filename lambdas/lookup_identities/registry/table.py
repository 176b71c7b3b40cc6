"""The registry in DynamoDB: every look-up of the step, as a rule in two round trips.

1. BatchGetItem: the message's identifiers of patient and practitioners. An identifier's item carries a
   hint, the ids of the patient's providers.
2. BatchGetItem: the patient, and for each hinted provider the relationship and the provider.

The hint decides nothing: the patient's own item says who belongs to the circle, and whoever the hint
left out is read in a third trip. A patient's item that does not say so (`circle` is missing) has its
partition queried. A surrogate is read only when somebody is away.

Reads are strongly consistent: a relationship that was just ended must not be told once more.
"""

import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lambdas.common.aws.clients import dependency
from lambdas.common.aws.items import from_item
from lambdas.common.contracts.consent import Consent
from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.event import EventKind
from lambdas.common.contracts.person import Name
from lambdas.common.contracts.preferences import CostMode, DetailLevel
from lambdas.common.contracts.recipient import RelationshipType
from lambdas.common.errors import DependencyUnavailableError
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.registry.items import (
    Item,
    Key,
    identifier_key,
    key,
    patient_key,
    provider_identifier_key,
    provider_key,
    relationship_key,
)
from lambdas.lookup_identities.registry.preference_rows import HOW, WORDS
from lambdas.lookup_identities.registry.records import (
    Absence,
    EventFilter,
    PatientRecord,
    Preferences,
    Provider,
    Relationship,
)

BATCH = 100
"""Keys that one BatchGetItem takes."""

TRIES = 4
"""How often keys that DynamoDB left unprocessed are asked for before it counts as throttling."""

Pair = tuple[str, str]
At = tuple[str, str]
"""A partition key and a sort key."""


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

    `record` is None where the registry does not file the patient. `consents` are the patient's.
    """

    record: PatientRecord | None = field(repr=False)
    relationships: list[Relationship] = field(repr=False)
    providers: dict[str, Provider] = field(repr=False)
    consents: tuple[Consent, ...] = field(repr=False, default=())


def filed_under(
    context: LookupContext, patient_pairs: Iterable[Pair], provider_pairs: Iterable[Pair]
) -> Filed:
    """The patients and providers of (authority, value) pairs; a pair that names nobody is absent.

    `hints` are provider ids by patient id; `merged` the ids that were merged into a patient.

    Raises `DependencyUnavailableError` when DynamoDB throttles or cannot be reached.
    """
    patients = {pair: identifier_key(*pair) for pair in patient_pairs}
    providers = {pair: provider_identifier_key(*pair) for pair in provider_pairs}
    found = _by_key(context, [*patients.values(), *providers.values()])
    hints: dict[str, frozenset[str]] = {}
    merged: dict[str, tuple[str, ...]] = {}
    for at in patients.values():
        item = found.get((at["pk"], at["sk"]), {})
        for patient_id in _texts(item.get("patient_id", ())):
            hints[patient_id] = hints.get(patient_id, frozenset()) | item.get("circle", set())
            if item.get("merged_from"):
                merged[patient_id] = tuple(sorted(item["merged_from"]))
    return Filed(
        patients={
            pair: _texts(found[at["pk"], at["sk"]]["patient_id"])
            for pair, at in patients.items()
            if (at["pk"], at["sk"]) in found
        },
        providers={
            pair: found[at["pk"], at["sk"]]["provider_id"]
            for pair, at in providers.items()
            if (at["pk"], at["sk"]) in found
        },
        hints=hints,
        merged=merged,
    )


def care_file(
    context: LookupContext, patient_id: str, hint: Iterable[str] = (), others: Iterable[str] = ()
) -> CareFile:
    """The patient's circle of care; `others` are providers wanted besides, who need not be related.

    Raises `DependencyUnavailableError` when DynamoDB throttles or cannot be reached.
    """
    hinted, wanted = set(hint), set(others)
    at_patient = patient_key(patient_id)
    found = _by_key(
        context, [at_patient, *_circle_keys(patient_id, hinted), *map(provider_key, wanted)]
    )
    patient = found.get((at_patient["pk"], at_patient["sk"]))
    if patient is None or "circle" not in patient:
        items = _partition(context, patient_id)
        found.update(items)
        patient = found.get((at_patient["pk"], at_patient["sk"]))
        circle = {_provider_id(item) for (_, sk), item in items.items() if sk != "patient"}
        found.update(_by_key(context, [provider_key(known) for known in circle - hinted - wanted]))
    else:
        circle = patient["circle"]
        found.update(_by_key(context, _circle_keys(patient_id, circle - hinted)))
    return CareFile(
        record=_patient(patient_id, patient) if patient else None,
        relationships=[_relationship(item) for (_, sk), item in found.items() if _is_related(sk)],
        providers=_providers(found),
    )


def providers(context: LookupContext, provider_ids: Iterable[str]) -> dict[str, Provider]:
    """The providers by id; one whom the registry lacks is absent."""
    return _providers(_by_key(context, [provider_key(provider_id) for provider_id in provider_ids]))


def _circle_keys(patient_id: str, provider_ids: Iterable[str]) -> list[Key]:
    return [
        at
        for provider_id in sorted(provider_ids)
        for at in (relationship_key(patient_id, provider_id), provider_key(provider_id))
    ]


def _partition(context: LookupContext, patient_id: str) -> dict[At, Item]:
    """Every item of the patient's partition."""
    pages = context.client("dynamodb").get_paginator("query")
    with dependency("dynamodb"):
        found = [
            from_item(item)
            for page in pages.paginate(
                TableName=context.settings.registry_table,
                KeyConditionExpression="pk = :patient",
                ExpressionAttributeValues={":patient": {"S": key("patient", patient_id)}},
                ConsistentRead=True,
            )
            for item in page["Items"]
        ]
    return {(item["pk"], item["sk"]): item for item in found}


def _by_key(context: LookupContext, keys: Sequence[Key]) -> dict[At, Item]:
    """The items by key; every key is asked for once, a hundred at a time."""
    unique = list({(at["pk"], at["sk"]): at for at in keys}.values())
    found: dict[At, Item] = {}
    for start in range(0, len(unique), BATCH):
        wanted = [
            {name: {"S": text} for name, text in at.items()} for at in unique[start : start + BATCH]
        ]
        found.update(((item["pk"], item["sk"]), item) for item in _batch(context, wanted))
    return found


def _batch(context: LookupContext, wanted: list[dict[str, Any]]) -> list[Item]:
    table = context.settings.registry_table
    found: list[Item] = []
    request = {table: {"Keys": wanted, "ConsistentRead": True}}
    for attempt in range(TRIES):
        if attempt:
            time.sleep(random.uniform(0, 0.05 * 2**attempt))
        with dependency("dynamodb"):
            answer = context.client("dynamodb").batch_get_item(RequestItems=request)
        found += map(from_item, answer["Responses"].get(table, ()))
        request = answer.get("UnprocessedKeys", {})
        if not request:
            return found
    raise DependencyUnavailableError("dynamodb BatchGetItem: keys stay unprocessed")


def _patient(patient_id: str, item: Item) -> PatientRecord:
    names = ("family", "given", "birth_date", "sex", "merged_into")
    return PatientRecord(
        patient_id,
        **{name: item.get(name) or "" for name in names},
        former_families=_texts(item.get("former_families", ())),
    )


def _is_related(sk: str) -> bool:
    return sk.startswith("provider#")


def _provider_id(item: Item) -> str:
    known: str = item.get("provider_id") or item["sk"].removeprefix("provider#")
    return known


def _relationship(item: Item) -> Relationship:
    return Relationship(
        _provider_id(item),
        _relationship_types(_texts(item.get("relationship", ()))),
        item.get("active", True) is not False,
        item.get("roster_until") or "",
    )


def _relationship_types(texts: Iterable[str]) -> tuple[RelationshipType, ...]:
    """The types. A text that the import does not write counts as the care team."""
    known = set(RelationshipType)
    found = (RelationshipType(t) if t in known else RelationshipType.CARE_TEAM for t in texts)
    return tuple(dict.fromkeys(found))


def _providers(found: Mapping[At, Item]) -> dict[str, Provider]:
    known = [_provider(item) for (_, sk), item in found.items() if sk == "provider"]
    return {provider.provider_id: provider for provider in known}


def _provider(item: Item) -> Provider:
    return Provider(
        provider_id=item.get("provider_id") or item["pk"].removeprefix("provider#"),
        name=Name(**{part: item.get(part) or "" for part in ("family", "given", "prefix")}),
        npi=item.get("npi") or "",
        address=item.get("email") or "",
        active=item.get("active", True) is not False,
        facility=item.get("kind") == "facility",
        event_filter=_event_filter(item),
        absence=_absence(item),
        preferences=_preferences(item),
    )


def _preferences(item: Item) -> Preferences:
    """The provider's preferences; an unknown choice counts as the one with the least content."""
    said = {name: item[name] for name in HOW if item.get(name)}
    for name, least in (("detail", DetailLevel.MINIMAL), ("analysis", CostMode.OFF)):
        if said.get(name, "") not in WORDS[name]:
            said[name] = least
    return read_as(Preferences, {**said, "bundle": item.get("bundle") is True})


def _event_filter(item: Item) -> EventFilter:
    """The events they want to be told of; a choice that is neither yes nor no is no."""
    known = set(EventKind)
    return EventFilter(
        notify=item.get("notify", True) is True,
        event_kinds=tuple(
            EventKind(kind) for kind in _texts(item.get("event_types", ())) if kind in known
        ),
        patient_classes=_texts(item.get("patient_classes", ())),
        facilities=_texts(item.get("facilities", ())),
    )


def _absence(item: Item) -> Absence:
    texts = ("surrogate", "away_from", "away_until")
    return Absence(**{name: item.get(name) or "" for name in texts})


def _texts(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
