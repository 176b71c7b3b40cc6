"""Writes to the registry: the master data of a folder, and the rosters of subscribers.

Every write says what shall be, not what changes, so that a second run makes no difference and one that
was cut short is simply run again. What the files no longer name stays: end it by `active` no.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from lambdas.common.aws import client, dependency
from lambdas.common.items import from_item, to_item
from lambdas.lookup_identities.comparing import birth_dates_agree, surnames_agree
from lambdas.lookup_identities.preference_rows import is_date
from lambdas.lookup_identities.registry_files import Table
from lambdas.lookup_identities.registry_items import (
    Item,
    identifier_key,
    patient_key,
    provider_key,
    relationship_key,
)
from lambdas.lookup_identities.registry_rows import InvalidRegistryError

KEYS = ("pk", "sk")
KEPT = ("roster_until",)
"""What an import of master data leaves as it is: rosters have a life of their own."""

DAYS = 90
"""How long a roster holds unless told otherwise."""

WRITERS = 8
REQUIRED, OPTIONAL = ("authority", "value"), ("family", "birth_date")


@dataclass(frozen=True, slots=True)
class Member:
    """A patient on somebody's roster and the last day of it."""

    patient_id: str = field(repr=False)
    until: str


@dataclass(frozen=True, slots=True)
class Roster:
    """What a roster's file means: the patients whom the registry knows, and the lines that name nobody."""

    members: dict[str, tuple[str, str]] = field(repr=False)
    unknown: list[int] = field(default_factory=list)


def today() -> date:
    """The present day in UTC."""
    return datetime.now(UTC).date()


def write(table: str, items: Iterable[Item], done: Callable[[], None]) -> None:
    """Files every item; `done` is called after each."""
    with ThreadPoolExecutor(WRITERS) as writers:
        for _ in writers.map(lambda item: _put(table, item), items):
            done()


def read_roster(table: str, provider_id: str, rows: Table) -> Roster:
    """The patients of a roster's rows by id, with the identifier that named each.

    Raises `InvalidRegistryError` with file, line and column of every fault: a missing or unknown
    column, an empty cell, a birth date that is none, an identifier of several patients, or a
    surname or birth date that is not the patient's. A patient unknown to the registry is no fault.
    """
    faults = _shape(rows)
    if not _get(table, provider_key(provider_id)):
        faults.append("the subscriber is not a provider of the registry")
    if faults:
        raise InvalidRegistryError(faults)
    members: dict[str, tuple[str, str]] = {}
    unknown = []
    for line, row in zip(rows.lines, rows.rows, strict=True):
        pair = row["authority"].strip(), row["value"].strip()
        filed = _get(table, identifier_key(*pair)).get("patient_id", "")
        if not filed:
            unknown.append(line)
        elif not isinstance(filed, str):
            faults.append(f"{rows.name} line {line}, value: belongs to several patients")
        else:
            person = _get(table, patient_key(filed))
            faults += [f"{rows.name} line {line}, {what}" for what in _contradictions(row, person)]
            members[filed] = pair
    if faults:
        raise InvalidRegistryError(faults)
    return Roster(members, unknown)


def put_roster(
    table: str, provider_id: str, roster: Roster, until: str, done: Callable[[], None]
) -> None:
    """Files every member until a day; those who were on it already get the new day."""
    for patient_id, pair in roster.members.items():
        _update(
            table,
            relationship_key(patient_id, provider_id),
            {"provider_id": provider_id, "roster_until": until},
        )
        for key in (patient_key(patient_id), identifier_key(*pair)):
            _update(table, key, {}, {"circle": {provider_id}})
        done()


def members(table: str, provider_id: str) -> list[Member]:
    """Everybody on a provider's roster, expired or not."""
    items = _query(table, provider_id)
    return [
        Member(item["pk"].removeprefix("patient#"), item["roster_until"])
        for item in items
        if item.get("roster_until")
    ]


def subscribers(table: str) -> dict[str, list[Member]]:
    """Every provider's roster by provider id. Reads the whole registry."""
    found: dict[str, list[Member]] = {}
    pages = client("dynamodb").get_paginator("scan")
    with dependency("dynamodb"):
        for page in pages.paginate(
            TableName=table,
            FilterExpression="attribute_exists(roster_until)",
            ProjectionExpression="pk, provider_id, roster_until",
        ):
            for item in map(from_item, page["Items"]):
                patient_id = item["pk"].removeprefix("patient#")
                found.setdefault(item["provider_id"], []).append(
                    Member(patient_id, item["roster_until"])
                )
    return found


def end(table: str, provider_id: str, patients: Iterable[str]) -> int:
    """Ends a provider's roster for patients as of yesterday; how many were still on it."""
    yesterday = (today() - timedelta(days=1)).isoformat()
    wanted = set(patients)
    ended = 0
    for item in _query(table, provider_id):
        patient = item["pk"].removeprefix("patient#")
        if patient in wanted and item.get("roster_until", "") > yesterday:
            key = {name: item[name] for name in KEYS}
            _update(table, key, {"roster_until": yesterday})
            ended += 1
    return ended


def _shape(rows: Table) -> list[str]:
    faults = []
    for line, row in zip(rows.lines, rows.rows, strict=True):
        given = set(row)
        if not set(REQUIRED) <= given <= {*REQUIRED, *OPTIONAL} or None in row.values():
            columns = f"{','.join(REQUIRED)} and perhaps {','.join(OPTIONAL)}"
            return [f"{rows.name} line {line}: the columns are {columns}"]
        faults += [
            f"{rows.name} line {line}, {column}: is empty"
            for column in REQUIRED
            if not row[column].strip()
        ]
        if row.get("birth_date", "").strip() and not is_date(row["birth_date"].strip()):
            faults.append(f"{rows.name} line {line}, birth_date: is not a date as YYYY-MM-DD")
    return faults


def _contradictions(row: dict[str, str], person: Item) -> Iterator[str]:
    if surnames_agree(row.get("family", ""), person.get("family", "")) is False:
        yield "family: is not that of the patient with this identifier"
    if birth_dates_agree(row.get("birth_date", ""), person.get("birth_date", "")) is False:
        yield "birth_date: is not that of the patient with this identifier"


def _put(table: str, item: Item) -> None:
    """Files an item as it is, except what has a life of its own; sets only grow."""
    sets = {name: value for name, value in item.items() if isinstance(value, set)}
    plain = {n: v for n, v in item.items() if n not in (*KEYS, *sets)}
    key = {name: item[name] for name in KEYS}
    known = _get(table, key)
    gone = [n for n, v in known.items() if n not in (*item, *KEPT) and not isinstance(v, set)]
    _update(table, key, plain, sets, gone)


def _update(
    table: str,
    key: dict[str, str],
    values: Item,
    sets: Item | None = None,
    gone: Iterable[str] = (),
) -> None:
    # Names stand behind placeholders: some are DynamoDB's own words.
    names = {f"#{n}": name for n, name in enumerate([*values, *(sets or {}), *gone])}
    at = {name: placeholder for placeholder, name in names.items()}
    parts = []
    for verb, joint, chosen in (("SET", " = ", values), ("ADD", " ", sets or {})):
        if chosen:
            parts.append(verb + " " + ", ".join(f"{at[n]}{joint}:{at[n][1:]}" for n in chosen))
    if removed := [at[name] for name in gone]:
        parts.append("REMOVE " + ", ".join(removed))
    if not parts:
        return
    given = {f":{at[name][1:]}": value for name, value in {**values, **(sets or {})}.items()}
    with dependency("dynamodb"):
        client("dynamodb").update_item(
            TableName=table,
            Key=to_item(key),
            UpdateExpression=" ".join(parts),
            ExpressionAttributeNames=names,
            **({"ExpressionAttributeValues": to_item(given)} if given else {}),
        )


def _get(table: str, key: dict[str, str]) -> Item:
    with dependency("dynamodb"):
        answer = client("dynamodb").get_item(TableName=table, Key=to_item(key), ConsistentRead=True)
    return from_item(answer.get("Item", {}))


def _query(table: str, provider_id: str) -> list[Item]:
    pages = client("dynamodb").get_paginator("query")
    with dependency("dynamodb"):
        return [
            from_item(item)
            for page in pages.paginate(
                TableName=table,
                IndexName="by_provider",
                KeyConditionExpression="provider_id = :provider AND begins_with(pk, :patient)",
                ExpressionAttributeValues=to_item(
                    {":provider": provider_id, ":patient": "patient#"}
                ),
            )
            for item in page["Items"]
        ]
