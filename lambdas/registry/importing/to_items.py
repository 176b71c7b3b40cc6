"""The attributes of the registry's items, from and to the columns of its files. Pure."""

from collections.abc import Mapping

from lambdas.common.contracts.recipients.consent import Sensitivity
from lambdas.registry.importing.columns import values
from lambdas.registry.keys import Item
from lambdas.registry.records import PREFERENCE_TEXTS

PATIENT_TEXTS = ("patient_id", "family", "given", "birth_date", "sex", "merged_into")
PROVIDER_TEXTS = ("provider_id", "family", "given", "prefix", "npi", "email")
CHOSEN_TEXTS = ("surrogate", "away_from", "away_until", *PREFERENCE_TEXTS)
CHOSEN_LISTS = ("event_types", "patient_classes", "facilities")


def patient_values(row: Mapping[str, str]) -> Item:
    """The attributes of a patient's row; each has the name of its column."""
    return {
        **{name: row[name] for name in ("patient_id", "family", "given", "birth_date", "sex")},
        **({"former_families": known} if (known := values(row["former_families"])) else {}),
        **({"merged_into": row["merged_into"]} if row["merged_into"] else {}),
    }


def provider_values(row: Mapping[str, str]) -> Item:
    """The attributes of a provider's row; each has the name of its column."""
    return {
        **{name: row[name] for name in PROVIDER_TEXTS},
        "active": row["active"] != "no",
        **({"kind": "facility"} if row["kind"] == "facility" else {}),
        **_preferences(row),
    }


def _preferences(row: Mapping[str, str]) -> Item:
    """The row's filter, absence and preferences (`records.EventFilter`, `Absence`, `Preferences`)."""
    return {
        **({"bundle": True} if row["bundle"] == "yes" else {}),
        **({"notify": False} if row["notify"] == "no" else {}),
        **{name: values(row[name]) for name in CHOSEN_LISTS if values(row[name])},
        **{name: row[name] for name in CHOSEN_TEXTS if row[name]},
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
    return {
        **{name: item.get(name) or "" for name in (*PROVIDER_TEXTS, "kind", *CHOSEN_TEXTS)},
        **{name: _cell(item.get(name, "")) for name in CHOSEN_LISTS},
        "active": "no" if item.get("active") is False else "",
        "bundle": "yes" if item.get("bundle") is True else "",
        "notify": "no" if item.get("notify") is False else "",
    }


def _cell(values: str | list[str]) -> str:
    return values if isinstance(values, str) else ";".join(values)
