"""Reads and writes the rosters (patient panels) of subscribers in the registry."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from lambdas.common.aws.clients import dependency
from lambdas.common.aws.item_reads import query, read_item
from lambdas.common.aws.item_writes import update
from lambdas.common.aws.items import from_item
from lambdas.common.clock import is_day
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.lookup_identities.matching.demographics import birth_dates_agree, surnames_agree
from lambdas.registry.importing.columns import InvalidRegistryError
from lambdas.registry.importing.files import Table
from lambdas.registry.importing.merges import merge_chain
from lambdas.registry.keys import (
    Item,
    at,
    id_in,
    identifier_key,
    patient_key,
    provider_key,
    relationship_key,
)
from ops.master_data import registry
from ops.master_data.registry import KEYS

DEFAULT_DAYS = 90
"""Days that a roster is valid by default."""

REQUIRED, OPTIONAL = ("authority", "value"), ("family", "birth_date")


@dataclass(frozen=True, slots=True)
class RosterMember:
    """A patient on a roster, and the last day (YYYY-MM-DD) of the membership."""

    patient_id: str = field(repr=False)
    until: str


@dataclass(frozen=True, slots=True)
class Roster:
    """The content of a roster's file: patient ids with their identifiers, and lines of unknown patients."""

    members: dict[str, tuple[str, str]] = field(repr=False)
    unknown: list[int] = field(default_factory=list)


def today() -> date:
    """Returns the current day in UTC."""
    return datetime.now(UTC).date()


def is_provider(context: LedgerContext, table: str, provider_id: str) -> bool:
    """Whether the registry files a provider under this id."""
    return bool(read_item(context, table, provider_key(provider_id)))


def read(context: LedgerContext, table: str, provider_id: str, rows: Table) -> Roster:
    """Returns the patients of a roster's rows by id, each with its identifier; of a merged one the survivor.

    Raises `InvalidRegistryError` with file, line and column of every fault: a missing or unknown column,
    an empty cell, a malformed birth date, an identifier of several patients, or a surname or birth date
    other than the patient's. A patient who is not in the registry is counted in `unknown`.
    """
    faults = _shape(rows)
    if not is_provider(context, table, provider_id):
        faults.append("the subscriber is not a provider of the registry")
    if faults:
        raise InvalidRegistryError(faults)
    members: dict[str, tuple[str, str]] = {}
    unknown = []
    pairs = [(row["authority"].strip(), row["value"].strip()) for row in rows.rows]
    identifiers = registry.read(context, table, [identifier_key(*pair) for pair in pairs])
    ids = [item["patient_id"] for item in identifiers.values()]
    people = _people(context, table, (one for one in ids if isinstance(one, str)))
    merged = _merged(people)
    for line, row, pair in zip(rows.lines, rows.rows, pairs, strict=True):
        filed = identifiers.get(at(identifier_key(*pair)), {}).get("patient_id", "")
        if not filed:
            unknown.append(line)
        elif not isinstance(filed, str):
            faults.append(f"{rows.name} line {line}, value: belongs to several patients")
        else:
            person = people.get(filed, {})
            faults += [f"{rows.name} line {line}, {what}" for what in _contradictions(row, person)]
            members[merge_chain(filed, merged)[-1]] = pair
    if faults:
        raise InvalidRegistryError(faults)
    return Roster(members, unknown)


def _people(context: LedgerContext, table: str, patient_ids: Iterable[str]) -> dict[str, Item]:
    """Returns the items of these patients, and of those into whom they were merged, by patient id."""
    found: dict[str, Item] = {}
    waiting = set(patient_ids)
    while waiting:
        items = registry.read(context, table, [patient_key(one) for one in sorted(waiting)])
        found |= {one: items.get(at(patient_key(one)), {}) for one in waiting}
        waiting = {item.get("merged_into") or "" for item in found.values()} - found.keys() - {""}
    return found


def _merged(people: dict[str, Item]) -> dict[str, str]:
    """Returns the patient into whom each of these was merged, "" for none."""
    return {one: item.get("merged_into") or "" for one, item in people.items()}


def put(
    context: LedgerContext,
    table: str,
    provider_id: str,
    roster: Roster,
    until: str,
    *,
    done: Callable[[], None],
) -> None:
    """Writes every membership with the last day `until`. An earlier membership gets the new day."""
    for patient_id, pair in roster.members.items():
        update(
            context,
            table,
            relationship_key(patient_id, provider_id),
            {"provider_id": provider_id, "roster_until": until},
        )
        for key in (patient_key(patient_id), identifier_key(*pair)):
            update(context, table, key, {}, add={"circle": {provider_id}})
        done()


def members(context: LedgerContext, table: str, provider_id: str) -> list[RosterMember]:
    """Returns the members of a provider's roster, expired ones included; of a merged patient the survivor."""
    until = {
        patient: item["roster_until"]
        for patient, item in _query(context, table, provider_id).items()
        if item.get("roster_until")
    }
    return _members(until, _merged(_people(context, table, until)))


def _members(until: dict[str, str], merged: dict[str, str]) -> list[RosterMember]:
    """Returns each patient once; the survivor's own last day counts before that of a merged one."""
    own = {last: until[one] for one in until if (last := merge_chain(one, merged)[-1]) != one}
    own |= {one: day for one, day in until.items() if not merged.get(one)}
    return [RosterMember(one, day) for one, day in own.items()]


def subscribers(context: LedgerContext, table: str) -> dict[str, list[RosterMember]]:
    """Returns every roster by provider id. Scans the whole registry."""
    found: dict[str, dict[str, str]] = {}
    merged: dict[str, str] = {}
    pages = context.client("dynamodb").get_paginator("scan")
    with dependency("dynamodb"):
        for page in pages.paginate(
            TableName=table,
            FilterExpression="attribute_exists(roster_until) OR attribute_exists(merged_into)",
            ProjectionExpression="pk, provider_id, roster_until, merged_into",
        ):
            for item in map(from_item, page["Items"]):
                patient_id = id_in(item["pk"])
                if "roster_until" in item:
                    found.setdefault(item["provider_id"], {})[patient_id] = item["roster_until"]
                else:
                    merged[patient_id] = item["merged_into"]
    return {provider_id: _members(until, merged) for provider_id, until in found.items()}


def end(context: LedgerContext, table: str, provider_id: str, patients: Iterable[str]) -> int:
    """Sets the last day of these memberships to one that is over everywhere, also under ids of merged patients.

    Returns how many were valid before.
    """
    # In no time zone is it earlier than twelve hours before UTC.
    over = (today() - timedelta(days=2)).isoformat()
    wanted = set(patients)
    items = _query(context, table, provider_id)
    merged = _merged(_people(context, table, items))
    ended = set()
    for patient, item in items.items():
        survivor = merge_chain(patient, merged)[-1]
        if survivor in wanted and item.get("roster_until", "") > over:
            key = {name: item[name] for name in KEYS}
            update(context, table, key, {"roster_until": over})
            ended.add(survivor)
    return len(ended)


def _shape(rows: Table) -> list[str]:
    faults = []
    for line, row in zip(rows.lines, rows.rows, strict=True):
        given = set(row)
        if not set(REQUIRED) <= given <= {*REQUIRED, *OPTIONAL} or None in row.values():
            columns = f"{','.join(REQUIRED)}; optional: {','.join(OPTIONAL)}"
            return [f"{rows.name} line {line}: the columns are {columns}"]
        faults += [
            f"{rows.name} line {line}, {column}: is empty"
            for column in REQUIRED
            if not row[column].strip()
        ]
        if row.get("birth_date", "").strip() and not is_day(row["birth_date"].strip()):
            faults.append(f"{rows.name} line {line}, birth_date: is not a date as YYYY-MM-DD")
    return faults


def _contradictions(row: dict[str, str], person: Item) -> Iterator[str]:
    if surnames_agree(row.get("family", ""), person.get("family", "")) is False:
        yield "family: is not that of the patient with this identifier"
    if birth_dates_agree(row.get("birth_date", ""), person.get("birth_date", "")) is False:
        yield "birth_date: is not that of the patient with this identifier"


def _query(context: LedgerContext, table: str, provider_id: str) -> dict[str, Item]:
    """Returns the items of a provider's relationships, by patient id."""
    found = query(
        context,
        table,
        "provider_id = :provider AND begins_with(pk, :patient)",
        {":provider": provider_id, ":patient": "patient#"},
        IndexName="by_provider",
    )
    return {id_in(item["pk"]): item for item in found}
