"""The registry in DynamoDB: every look-up of the step, in three round trips whatever the patient.

1. BatchGetItem: the message's identifiers of patient and practitioners.
2. Query: the patient with all relationships (one partition).
3. BatchGetItem: the related providers.

Reads are strongly consistent: a relationship that was just ended must not be told once more.
"""

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lambdas.common.aws import client, dependency
from lambdas.common.errors import ConfigurationError, DependencyUnavailableError
from lambdas.common.items import from_item
from lambdas.common.models import Name
from lambdas.lookup_identities.records import PatientRecord, Provider, Relationship
from lambdas.lookup_identities.registry_items import (
    Item,
    Key,
    identifier_key,
    key,
    provider_identifier_key,
    provider_key,
)
from lambdas.lookup_identities.settings import registry_table

BATCH = 100
"""Keys that one BatchGetItem takes."""

TRIES = 4
"""How often keys that DynamoDB left unprocessed are asked for before it counts as throttling."""

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Filed:
    """What the registry files under identifiers: patients, and providers."""

    patients: dict[Pair, tuple[str, ...]] = field(repr=False)
    providers: dict[Pair, str] = field(repr=False)


def filed_under(patient_pairs: Iterable[Pair], provider_pairs: Iterable[Pair]) -> Filed:
    """Whom the (authority, value) pairs of patients and of providers name; absent pairs name nobody.

    Raises `DependencyUnavailableError` when DynamoDB throttles or cannot be reached.
    """
    patients = {pair: identifier_key(*pair) for pair in patient_pairs}
    providers = {pair: provider_identifier_key(*pair) for pair in provider_pairs}
    found = _by_key([*patients.values(), *providers.values()])
    return Filed(
        patients={
            pair: _texts(found[at["pk"]]["patient_id"])
            for pair, at in patients.items()
            if at["pk"] in found
        },
        providers={
            pair: found[at["pk"]]["provider_id"]
            for pair, at in providers.items()
            if at["pk"] in found
        },
    )


def patient_with_relationships(patient_id: str) -> tuple[PatientRecord, list[Relationship]]:
    """The patient and everybody who is related to them, ended relationships among them.

    Raises `ConfigurationError` when an identifier points to a patient whom the registry lacks.
    """
    record, relationships = None, []
    pages = client("dynamodb").get_paginator("query")
    with dependency("dynamodb"):
        for page in pages.paginate(
            TableName=registry_table(),
            KeyConditionExpression="pk = :patient",
            ExpressionAttributeValues={":patient": {"S": key("patient", patient_id)}},
            ConsistentRead=True,
        ):
            for item in map(from_item, page["Items"]):
                if item["sk"] == "patient":
                    record = _patient(patient_id, item)
                else:
                    relationships.append(_relationship(item))
    if record is None:
        raise ConfigurationError("the registry files an identifier under a patient whom it lacks")
    return record, relationships


def providers(provider_ids: Iterable[str]) -> dict[str, Provider]:
    """The providers by id; one whom the registry lacks is absent."""
    found = _by_key([provider_key(provider_id) for provider_id in provider_ids])
    return {provider.provider_id: provider for provider in map(_provider, found.values())}


def _by_key(keys: Sequence[Key]) -> dict[str, Item]:
    """The items by partition key; every key is asked for once, a hundred at a time."""
    unique = list({at["pk"]: at for at in keys}.values())
    found: dict[str, Item] = {}
    for start in range(0, len(unique), BATCH):
        wanted = [
            {name: {"S": text} for name, text in at.items()} for at in unique[start : start + BATCH]
        ]
        found.update((item["pk"], item) for item in _batch(wanted))
    return found


def _batch(wanted: list[dict[str, Any]]) -> list[Item]:
    table = registry_table()
    found: list[Item] = []
    request = {table: {"Keys": wanted, "ConsistentRead": True}}
    for attempt in range(TRIES):
        if attempt:
            time.sleep(random.uniform(0, 0.05 * 2**attempt))
        with dependency("dynamodb"):
            answer = client("dynamodb").batch_get_item(RequestItems=request)
        found += map(from_item, answer["Responses"].get(table, ()))
        request = answer.get("UnprocessedKeys", {})
        if not request:
            return found
    raise DependencyUnavailableError("dynamodb BatchGetItem: keys stay unprocessed")


def _patient(patient_id: str, item: Item) -> PatientRecord:
    names = ("family", "given", "birth_date", "sex")
    return PatientRecord(patient_id, **{name: item.get(name) or "" for name in names})


def _relationship(item: Item) -> Relationship:
    provider_id = item.get("provider_id") or item["sk"].removeprefix("provider#")
    kinds = _texts(item["relationship"])
    return Relationship(provider_id, kinds, item.get("active", True) is not False)


def _provider(item: Item) -> Provider:
    return Provider(
        provider_id=item.get("provider_id") or item["pk"].removeprefix("provider#"),
        name=Name(**{part: item.get(part) or "" for part in ("family", "given", "prefix")}),
        npi=item.get("npi") or "",
        address=item.get("email") or "",
        active=item.get("active", True) is not False,
    )


def _texts(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
