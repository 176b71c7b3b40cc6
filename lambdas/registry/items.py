"""Rows of the registry's four CSV files as items of its table, every row checked before any is used.

One table, `pk` and `sk`:

    identifier#<authority>#<value>           patient               patient_id, circle, merged_from
    patient#<patient_id>                     patient               family, given, birth_date, sex, circle
                                                                   former_families, merged_into
    patient#<patient_id>                     provider#<provider_id> relationship, active, roster_until
    patient#<patient_id>                     consents              consent#<consent_id>: a map for each consent
    provider#<provider_id>                   provider              family, given, prefix, npi, email, active,
                                                                   kind and what they chose
    provider-identifier#<authority>#<value>  provider              provider_id
    authorities                              <authority>           authority (of patients' identifiers)

`patient_id` of an identifier and `relationship` are a text, or a list of texts where the registry
knows several. `circle` is the set of provider ids with a relationship, ended ones too: the patient's
decides, an identifier's is a hint (`registry`). A National Provider Identifier is filed as a provider identifier of authority `NPI`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lambdas.registry.files import read_table
from lambdas.registry.preference_rows import HOW, values
from lambdas.registry.records import NPI_AUTHORITY
from lambdas.registry.rows import FILES, Places, Rows, checked, survivor

Item = dict[str, Any]
Key = dict[str, str]
At = tuple[str, str]
"""A partition key and a sort key."""
Table = Iterable[Mapping[str, str]]
CareTeams = Mapping[str, set[str]]


CONSENT = "consent#"
"""The first part of the name of a consent's attribute; the consent's id follows."""

AUTHORITIES = "authorities"
"""The partition that lists the assigning authorities of patients' identifiers."""


def key(kind: str, *parts: str) -> str:
    """A partition key such as `identifier#NORTHGEN#H00412`.

    `#` and `%` inside a part are percent-encoded, so that no authority and value written together
    can be read as another pair.
    """
    quoted = (part.replace("%", "%25").replace("#", "%23") for part in parts)
    return "#".join((kind, *quoted))


def at(item: Mapping[str, Any]) -> At:
    """The partition key and the sort key of an item or key."""
    return item["pk"], item["sk"]


def identifier_key(authority: str, value: str) -> Key:
    """The key of an identifier's patient."""
    return {"pk": key("identifier", authority, value), "sk": "patient"}


def patient_key(patient_id: str) -> Key:
    """The key of a patient."""
    return {"pk": key("patient", patient_id), "sk": "patient"}


def relationship_key(patient_id: str, provider_id: str) -> Key:
    """The key of a relationship of patient and provider, in the patient's partition."""
    return {"pk": key("patient", patient_id), "sk": key("provider", provider_id)}


def consents_key(patient_id: str) -> Key:
    """The key of the item with all consents of a patient, in the patient's partition.

    One item, so that its key is known and one BatchGetItem reads patient, relationships and consents.
    """
    return {"pk": key("patient", patient_id), "sk": "consents"}


def provider_identifier_key(authority: str, value: str) -> Key:
    """The key of an identifier's provider."""
    return {"pk": key("provider-identifier", authority, value), "sk": "provider"}


def provider_key(provider_id: str) -> Key:
    """The key of a provider."""
    return {"pk": key("provider", provider_id), "sk": "provider"}


def items(
    patients: Table,
    identifiers: Table,
    providers: Table,
    relationships: Table,
    places: Places | None = None,
) -> list[Item]:
    """Every item of the registry as plain values, from rows as `csv.DictReader` gives them.

    Raises `InvalidRegistryError` that lists every fault by file, line and column; then nothing may be
    written. Rows that say the same of one pair are joined into one item.
    """
    rows = checked(patients, identifiers, providers, relationships, places)
    merged = {row["patient_id"]: row["merged_into"] for row in rows.patients}
    for row in (*rows.identifiers, *rows.relationships):
        # Items of a merged patient belong to the surviving one.
        row["filed_as"], row["patient_id"] = row["patient_id"], survivor(row["patient_id"], merged)
    care_teams: dict[str, set[str]] = {}
    for row in rows.relationships:
        care_teams.setdefault(row["patient_id"], set()).add(row["provider_id"])
    return [
        *(_patient(row, care_teams) for row in rows.patients),
        *_identifiers(rows, care_teams),
        *_authorities(rows),
        *map(_provider, rows.providers),
        *_provider_identifiers(rows),
        *_relationships(rows),
    ]


def items_of_folder(folder: Path) -> list[Item]:
    """Every item of the registry in a folder's four files, each `.csv` or `.ndjson` (`tables`)."""
    found = {name: read_table(folder, name) for name in FILES}
    places = {name: (table.name, table.lines) for name, table in found.items()}
    patients, identifiers, providers, relationships = (found[name].rows for name in FILES)
    return items(patients, identifiers, providers, relationships, places)


def _patient(row: Mapping[str, str], care_teams: CareTeams) -> Item:
    return {
        **patient_key(row["patient_id"]),
        **{name: row[name] for name in ("patient_id", "family", "given", "birth_date", "sex")},
        **({"former_families": known} if (known := values(row["former_families"])) else {}),
        **({"merged_into": row["merged_into"]} if row["merged_into"] else {}),
        **_care_team(row["patient_id"], care_teams),
    }


def _care_team(patient_id: str, care_teams: CareTeams) -> Item:
    """The attribute `circle`; DynamoDB knows no empty set."""
    return {"circle": care_teams[patient_id]} if care_teams.get(patient_id) else {}


def _provider(row: Mapping[str, str]) -> Item:
    texts = ("provider_id", "family", "given", "prefix", "npi", "email")
    return {
        **provider_key(row["provider_id"]),
        **{name: row[name] for name in texts},
        "active": row["active"] != "no",
        **({"kind": "facility"} if row["kind"] == "facility" else {}),
        **_preferences(row),
    }


def _preferences(row: Mapping[str, str]) -> Item:
    """The row's filter, absence and preferences (`records.EventFilter`, `Absence`, `Preferences`)."""
    texts = ("surrogate", "away_from", "away_until", *HOW)
    lists = ("event_types", "patient_classes", "facilities")
    return {
        **({"bundle": True} if row["bundle"] == "yes" else {}),
        **({"notify": False} if row["notify"] == "no" else {}),
        **{name: values(row[name]) for name in lists if values(row[name])},
        **{name: row[name] for name in texts if row[name]},
    }


def _identifiers(rows: Rows, care_teams: CareTeams) -> list[Item]:
    patients: dict[tuple[str, str], list[str]] = {}
    merged: dict[tuple[str, str], set[str]] = {}
    for row in rows.identifiers:
        if row["filed_as"] != row["patient_id"]:
            merged.setdefault((row["authority"], row["value"]), set()).add(row["filed_as"])
        if row["patient_id"]:
            known = patients.setdefault((row["authority"], row["value"]), [])
            if row["patient_id"] not in known:
                known.append(row["patient_id"])
    return [
        {
            **identifier_key(*pair),
            "patient_id": _one_or_list(known),
            **({"merged_from": merged[pair]} if pair in merged else {}),
            **(_care_team(known[0], care_teams) if len(known) == 1 else {}),
        }
        for pair, known in patients.items()
    ]


def _authorities(rows: Rows) -> list[Item]:
    found = dict.fromkeys(row["authority"] for row in rows.identifiers if row["patient_id"])
    return [{"pk": AUTHORITIES, "sk": authority, "authority": authority} for authority in found]


def _provider_identifiers(rows: Rows) -> list[Item]:
    filed = [
        (row["authority"], row["value"], row["provider_id"])
        for row in rows.identifiers
        if row["provider_id"]
    ]
    filed += [
        (NPI_AUTHORITY, row["npi"], row["provider_id"]) for row in rows.providers if row["npi"]
    ]
    return [
        {**provider_identifier_key(authority, value), "provider_id": provider_id}
        for authority, value, provider_id in dict.fromkeys(filed)
    ]


def _relationships(rows: Rows) -> list[Item]:
    types: dict[tuple[str, str], dict[str, bool]] = {}
    for row in rows.relationships:
        pair = (row["patient_id"], row["provider_id"])
        types.setdefault(pair, {})[row["relationship"]] = row["active"] != "no"
    found = []
    for (patient_id, provider_id), known in types.items():
        # An ended way of caring does not end the others, nor is it a reason any more.
        current = [name for name, active in known.items() if active]
        found.append(
            {
                "pk": key("patient", patient_id),
                "sk": key("provider", provider_id),
                "provider_id": provider_id,
                "relationship": _one_or_list(current or list(known)),
                "active": bool(current),
            }
        )
    return found


def _one_or_list(texts: list[str]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else texts
