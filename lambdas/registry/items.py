"""The items of the registry's table: their keys, and their attributes from and to the columns of its files.

One table, `pk` and `sk`:

    identifier#<authority>#<value>           patient               patient_id, circle, merged_from
    patient#<patient_id>                     patient               family, given, birth_date, sex, circle
                                                                   former_families, merged_into
    patient#<patient_id>                     provider#<provider_id> relationship, active, ended, roster_until
    patient#<patient_id>                     consents              consent#<consent_id>: a map for each consent
    provider#<provider_id>                   provider              family, given, prefix, npi, email, active,
                                                                   kind and what they chose
    provider-identifier#<authority>#<value>  provider              provider_id
    authorities                              <authority>           authority (of patients' identifiers)

`patient_id` of an identifier and `relationship` are a text, or a list of texts where the registry
knows several. `circle` is the set of provider ids with a relationship, ended ones too: the patient's
decides, an identifier's is a hint (`registry`). A National Provider Identifier is filed as a provider identifier of authority `NPI`.
"""

from collections.abc import Mapping
from typing import Any

from lambdas.common.contracts.consent import Sensitivity
from lambdas.registry.preference_rows import HOW, values

Item = dict[str, Any]
Key = dict[str, str]
At = tuple[str, str]
"""A partition key and a sort key."""

PATIENT_TEXTS = ("patient_id", "family", "given", "birth_date", "sex", "merged_into")
PROVIDER_TEXTS = (
    *("provider_id", "family", "given", "prefix", "npi", "email", "kind"),
    *("surrogate", "away_from", "away_until", *HOW),
)

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


def patient_values(row: Mapping[str, str]) -> Item:
    """The attributes of a patient's row; each has the name of its column."""
    return {
        **{name: row[name] for name in ("patient_id", "family", "given", "birth_date", "sex")},
        **({"former_families": known} if (known := values(row["former_families"])) else {}),
        **({"merged_into": row["merged_into"]} if row["merged_into"] else {}),
    }


def provider_values(row: Mapping[str, str]) -> Item:
    """The attributes of a provider's row; each has the name of its column."""
    texts = ("provider_id", "family", "given", "prefix", "npi", "email")
    return {
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


def relationship_values(provider_id: str, current: list[str], ended: list[str]) -> Item:
    """The attributes of a relationship: its current types, or the ended ones where none is current.

    `ended` are the types that ended while another one is current.
    """
    return {
        "provider_id": provider_id,
        "relationship": one_or_list(current or ended),
        "active": bool(current),
        **({"ended": ended} if current and ended else {}),
    }


def consent_values(row: Mapping[str, str]) -> dict[str, str]:
    """The map of one consent, without its empty cells."""
    cells = {**row, "sensitivity": row["sensitivity"] or Sensitivity.ALL}
    names = ("direction", "sensitivity", "provider_id", "valid_from", "valid_until", "evidence")
    return {name: str(cells[name]) for name in names if cells[name]}


def one_or_list(texts: list[str]) -> str | list[str]:
    """A text alone, or the list of several."""
    return texts[0] if len(texts) == 1 else texts


def patient_cells(item: Item) -> dict[str, str]:
    """The columns of a patient's item."""
    return {
        **{name: item.get(name) or "" for name in PATIENT_TEXTS},
        "former_families": _cell(item.get("former_families", "")),
    }


def provider_cells(item: Item) -> dict[str, str]:
    """The columns of a provider's item."""
    lists = ("event_types", "patient_classes", "facilities")
    return {
        **{name: item.get(name) or "" for name in PROVIDER_TEXTS},
        **{name: _cell(item.get(name, "")) for name in lists},
        "active": "no" if item.get("active") is False else "",
        "bundle": "yes" if item.get("bundle") is True else "",
        "notify": "no" if item.get("notify") is False else "",
    }


def _cell(values: str | list[str]) -> str:
    return values if isinstance(values, str) else ";".join(values)
