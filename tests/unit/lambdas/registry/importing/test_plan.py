"""An import changes only what its files name."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.registry.from_items import consents
from lambdas.registry.importing.changes import ImportPlan, RowState
from lambdas.registry.importing.columns import KEY_COLUMNS, InvalidRegistryError
from lambdas.registry.importing.files import Table
from lambdas.registry.importing.named_cells import NamedRows, keys_to_read
from lambdas.registry.importing.plan import items, planned
from lambdas.registry.importing.to_items import patient_cells, provider_cells
from lambdas.registry.keys import at, relationship_key

Row = dict[str, str]
Items = dict[tuple[str, str], dict[str, Any]]

PATIENTS = [
    {"patient_id": "p-1", "family": "Okafor", "given": "Amara", "birth_date": "1958-02-14"},
    {"patient_id": "p-2", "family": "Lind", "given": "Nora", "former_families": "Berg; Moe"},
]
PROVIDERS = [
    {
        "provider_id": "dr-1",
        "family": "Chen",
        "npi": "1666666668",
        "email": "wei@heartcare.example",
        "detail": "minimal",
        "notify": "no",
        "surrogate": "dr-2",
        "away_from": "2026-12-20",
        "away_until": "2027-01-03",
        "event_types": "admission;discharge",
        "bundle": "yes",
        "quiet": "22:00-06:00",
        "kind": "facility",
    },
    {
        "provider_id": "dr-2",
        "family": "Roy",
        "detail": "smime",
        "certificate": "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----",
        "active": "no",
    },
]
RELATIONSHIPS = [
    {"patient_id": "p-1", "provider_id": "dr-1", "relationship": "primary_care"},
    {"patient_id": "p-1", "provider_id": "dr-1", "relationship": "subscriber"},
    {"patient_id": "p-1", "provider_id": "dr-2", "relationship": "care_team", "active": "no"},
]
CONSENTS = [
    {"consent_id": "c-1", "patient_id": "p-1", "direction": "deny", "sensitivity": "hiv"},
    {
        "consent_id": "c-2",
        "patient_id": "p-1",
        "direction": "permit",
        "provider_id": "dr-1",
        "valid_from": "2026-01-01",
        "evidence": "form 7",
    },
]
IDENTIFIERS = [{"authority": "NORTHGEN", "value": "H1", "patient_id": "p-1"}]


def registry() -> Items:
    made = items(PATIENTS, IDENTIFIERS, PROVIDERS, RELATIONSHIPS, CONSENTS)
    return {at(item): item for item in made}


def plan_of(known: Items, **files: list[Row]) -> ImportPlan:
    """The plan for rows, an empty cell of which changes nothing."""
    return plan_for(known, files)


def plan_for(known: Items, files: dict[str, list[Row]], *, clear_empty: bool = False) -> ImportPlan:
    """The plan for these rows by the name of their file, with no more of the registry than it asks for."""
    tables = {f"{name}.csv": Table(f"{name}.csv", rows, []) for name, rows in files.items()}
    named = NamedRows.of(tables, clear_empty=clear_empty)
    read: Items = {}
    asked: set[tuple[str, str]] = set()
    while keys := {at(key) for key in keys_to_read(named, read)} - asked:
        asked |= keys
        read |= {key: known[key] for key in keys & known.keys()}
    return planned(named, read)


def after(known: Items, plan: ImportPlan) -> Items:
    """The registry after the writes of a plan."""
    written = {key: dict(item) for key, item in known.items()}
    for change in plan.changes:
        item = written.setdefault(at(change.key), dict(change.key))
        item |= change.values
        for name, values in change.added.items():
            item[name] = item.get(name, set()) | values
        for name in change.removed:
            del item[name]
    return written


def unchanged(plan: ImportPlan) -> bool:
    return not plan.changes and all(row.state is RowState.UNCHANGED for row in plan.rows)


NEW_CELLS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "patients.csv": {
        "family": ("Adeyemi", ""),
        "given": ("Ada", ""),
        "sex": ("F", ""),
        "former_families": ("Moe", ""),
    },
    "providers.csv": {
        "family": ("Novak", ""),
        "email": ("new@clinic.example", ""),
        "active": ("yes", "no", ""),
        "detail": ("full", "minimal", ""),
        "notify": ("yes", "no", ""),
        "bundle": ("yes", "no", ""),
        "facilities": ("NORTHGEN", ""),
        "kind": ("person", ""),
        "surrogate": ("dr-3", ""),
    },
    "relationships.csv": {"active": ("yes", "no", "")},
    "consents.csv": {
        "direction": ("permit", "deny", ""),
        "valid_until": ("2026-12-31", ""),
        "evidence": ("letter", ""),
    },
}
ROWS = {
    "patients.csv": PATIENTS,
    "providers.csv": PROVIDERS,
    "relationships.csv": RELATIONSHIPS,
    "consents.csv": CONSENTS,
}


@st.composite
def imports(draw: st.DrawFn) -> dict[str, list[Row]]:
    """Any subset of the files, their rows and their columns, with new values or empty cells."""
    chosen: dict[str, list[Row]] = {}
    for file in draw(st.lists(st.sampled_from(sorted(ROWS)), unique=True, min_size=1)):
        columns = draw(st.lists(st.sampled_from(sorted(NEW_CELLS[file])), unique=True))
        rows = draw(st.lists(st.sampled_from(range(len(ROWS[file]))), unique=True, min_size=1))
        chosen[file.removesuffix(".csv")] = [
            {name: ROWS[file][index][name] for name in KEY_COLUMNS[file]}
            | {name: draw(st.sampled_from(NEW_CELLS[file][name])) for name in columns}
            for index in rows
        ]
    return chosen


@given(imports())
def test_no_import_changes_what_it_does_not_name(files: dict[str, list[Row]]) -> None:
    files.setdefault("providers", []).append({"provider_id": "dr-3", "family": "Okoye"})
    before = registry()
    plan = plan_for(before, files)
    found = after(before, plan)
    cells = {
        "patients": ("patient_id", patient_cells),
        "providers": ("provider_id", provider_cells),
    }
    for file, (key, of) in cells.items():
        kind = file.removesuffix("s")
        named = {row[key]: {n for n, c in row.items() if c} for row in files.get(file, [])}
        for place, item in before.items():
            if place[0].startswith(f"{kind}#") and place[1] == kind:
                touched = named.get(item[key], set())
                stays = {n: c for n, c in of(item).items() if n not in touched}
                assert {n: c for n, c in of(found[place]).items() if n not in touched} == stays
    told = {
        (row["patient_id"], row["provider_id"]): row
        for row in files.get("relationships", [])
        if row.get("active")
    }
    for patient_id, provider_id in (("p-1", "dr-1"), ("p-1", "dr-2")):
        place = at(relationship_key(patient_id, provider_id))
        if (patient_id, provider_id) not in told:
            assert found[place] == before[place]
    place = ("patient#p-1", "consents")
    named = {r["consent_id"]: {n for n, c in r.items() if c} for r in files.get("consents", [])}
    for old, new in zip(consents(before[place]), consents(found[place]), strict=True):
        for name in ("direction", "sensitivity", "provider_id", "valid_from", "valid_until"):
            if name not in named.get(old.consent_id, set()):
                assert getattr(new, name) == getattr(old, name)
    assert unchanged(plan_for(found, files))


def test_a_providers_choices_outlive_an_import_that_does_not_name_them() -> None:
    before = registry()
    plain = {"prefix": "Dr", "given": "Wei", "active": "yes", "email": "wei@new.example"}
    plan = plan_of(before, providers=[{"provider_id": "dr-1", "family": "Chen", **plain}])
    item = after(before, plan)["provider#dr-1", "provider"]
    assert item["email"] == "wei@new.example"
    chosen = ("detail", "notify", "surrogate", "away_until", "event_types", "bundle", "quiet")
    assert {n: item[n] for n in chosen} == {
        n: before["provider#dr-1", "provider"][n] for n in chosen
    }
    assert plan.rows[0].state is RowState.CHANGED
    assert plan.rows[0].fields == ("prefix", "given", "email")


def test_an_empty_cell_clears_a_value_only_where_the_operator_says_so() -> None:
    row = {"provider_id": "dr-1", "detail": "", "email": "", "notify": ""}
    before = registry()
    assert unchanged(plan_of(before, providers=[row]))
    plan = plan_for(before, {"providers": [row]}, clear_empty=True)
    item = after(before, plan)["provider#dr-1", "provider"]
    assert "detail" not in item
    assert "notify" not in item
    assert item["email"] == ""
    assert item["surrogate"] == "dr-2"
    assert plan.rows[0].fields == ("detail", "email", "notify")


def test_encryption_without_a_certificate_in_file_or_registry_is_a_fault() -> None:
    wanted = [{"provider_id": "dr-1", "detail": "smime"}]
    with pytest.raises(InvalidRegistryError, match="certificate: is empty, and detail is smime"):
        plan_of(registry(), providers=wanted)
    assert plan_of(registry(), providers=[{"provider_id": "dr-2", "detail": "smime"}]).rows


def test_a_file_alone_may_name_patients_and_providers_of_the_registry() -> None:
    row = {"patient_id": "p-2", "provider_id": "dr-1", "relationship": "care_team"}
    before = registry()
    found = after(before, plan_of(before, relationships=[row]))
    assert found["patient#p-2", "provider#dr-1"]["active"] is True
    assert found["patient#p-2", "patient"]["circle"] == {"dr-1"}
    assert found["patient#p-2", "patient"]["family"] == "Lind"
    with pytest.raises(InvalidRegistryError, match=r"is neither in patients\.csv nor in"):
        plan_of(before, relationships=[{**row, "patient_id": "p-9"}])


def test_an_npi_of_another_provider_of_the_registry_is_a_fault() -> None:
    with pytest.raises(InvalidRegistryError, match="npi: belongs to another provider"):
        plan_of(registry(), providers=[{"provider_id": "dr-2", "npi": "1666666668"}])


def test_an_ended_type_stays_ended_until_a_file_says_yes() -> None:
    kept = {"patient_id": "p-1", "provider_id": "dr-1", "relationship": "primary_care"}
    ended = after(registry(), plan_of(registry(), relationships=[{**kept, "active": "no"}]))
    place = "patient#p-1", "provider#dr-1"
    assert (ended[place]["relationship"], ended[place]["active"]) == ("subscriber", True)
    assert unchanged(plan_of(ended, relationships=[kept]))
    again = after(ended, plan_of(ended, relationships=[{**kept, "active": "yes"}]))
    assert again[place]["relationship"] == ["subscriber", "primary_care"]
    assert "ended" not in again[place]


@pytest.mark.parametrize(
    ("file", "row"),
    [
        ("providers", {"provider_id": "dr-1", "active": "no"}),
        (
            "relationships",
            {
                "patient_id": "p-1",
                "provider_id": "dr-1",
                "relationship": "subscriber",
                "active": "no",
            },
        ),
        ("consents", {"consent_id": "c-1", "patient_id": "p-1", "valid_until": "2026-11-30"}),
    ],
)
def test_the_plan_says_that_a_row_ends_what_it_names(file: str, row: Row) -> None:
    assert [one.state for one in plan_for(registry(), {file: [row]}).rows] == [RowState.ENDED]


def test_a_consent_is_filed_with_its_patient_and_ended_by_a_last_day() -> None:
    row = {"consent_id": "c-2", "patient_id": "p-1", "valid_until": "2026-11-30"}
    found = after(registry(), plan_of(registry(), consents=[row]))
    first, second = consents(found["patient#p-1", "consents"])
    assert (first.consent_id, first.direction, first.sensitivity) == ("c-1", "deny", "hiv")
    assert (second.direction, second.sensitivity, second.provider_id) == ("permit", "all", "dr-1")
    assert second.holds("2026-11-30")
    assert not second.holds("2026-12-01")


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"direction": "maybe"}, "direction: is none of permit, deny"),
        ({"direction": ""}, "direction: is none of permit, deny"),
        ({"sensitivity": "feet"}, "sensitivity: is none of all"),
        ({"provider_id": "dr-9"}, "provider_id: is neither in providers.csv nor"),
        ({"patient_id": "p-9"}, "patient_id: is neither in patients.csv nor"),
        ({"valid_until": "soon"}, "valid_until: is not a date"),
        ({"valid_from": "2026-02-01", "valid_until": "2026-01-01"}, "valid_until: is before"),
    ],
)
def test_a_faulty_consent_names_file_line_and_column(cells: Row, fault: str) -> None:
    row = {"consent_id": "c-9", "patient_id": "p-1", "direction": "deny", **cells}
    with pytest.raises(InvalidRegistryError, match=re.escape(f"consents.csv line 2, {fault}")):
        plan_of(registry(), consents=[row])


def test_consents_of_a_merged_patient_hold_for_the_surviving_one() -> None:
    before = registry()
    merged = after(before, plan_of(before, patients=[{"patient_id": "p-1", "merged_into": "p-2"}]))
    assert consents(merged["patient#p-2", "consents"]) == consents(
        before["patient#p-1", "consents"]
    )
    ended = {"consent_id": "c-1", "patient_id": "p-1", "valid_until": "2026-11-30"}
    found = after(merged, plan_of(merged, consents=[ended]))
    assert consents(found["patient#p-2", "consents"])[0].valid_until == "2026-11-30"


@pytest.mark.parametrize("denied", ["p-1", "p-2"])
def test_no_consent_replaces_another_ones_of_a_patient_who_is_merged(denied: str) -> None:
    """Files that number the consents of each patient give two patients the same id."""
    merge = [{"patient_id": "p-1", "merged_into": "p-2"}]
    row = {"consent_id": "1", "direction": "permit", "sensitivity": "all"}
    rows = [{**row, "patient_id": one} for one in ("p-1", "p-2")]
    rows[denied == "p-2"]["direction"] = "deny"
    with pytest.raises(InvalidRegistryError, match=r"consents\.csv line 3, consent_id: stands in"):
        plan_of(registry(), patients=merge, consents=rows)


def test_a_new_consent_of_the_surviving_patient_does_not_replace_one_that_the_merge_brings() -> (
    None
):
    merge = [{"patient_id": "p-1", "merged_into": "p-2"}]
    row = {"consent_id": "c-1", "patient_id": "p-2", "direction": "permit", "sensitivity": "hiv"}
    with pytest.raises(InvalidRegistryError, match="both patients have a consent of one id"):
        plan_of(registry(), patients=merge, consents=[row])


def test_providers_of_a_merged_patient_are_related_to_the_surviving_one() -> None:
    """A hospital that merged two records sends the identifier of the surviving one alone."""
    before = registry()
    before["patient#p-1", "provider#dr-1"]["roster_until"] = "2026-12-31"
    merge = [{"patient_id": "p-1", "merged_into": "p-2"}]
    merged = after(before, plan_of(before, patients=merge))
    for provider in ("provider#dr-1", "provider#dr-2"):
        own, copy = (dict(merged[patient, provider]) for patient in ("patient#p-1", "patient#p-2"))
        assert {**own, "pk": ""} == {**copy, "pk": ""}
    assert merged["patient#p-2", "patient"]["circle"] == {"dr-1", "dr-2"}
    assert unchanged(plan_of(merged, patients=merge))


def test_a_merge_begins_no_relationship_that_ended_for_the_surviving_patient() -> None:
    row = {"patient_id": "p-2", "provider_id": "dr-1", "relationship": "care_team", "active": "no"}
    before = registry()
    before = after(before, plan_of(before, relationships=[row]))
    merged = after(before, plan_of(before, patients=[{"patient_id": "p-1", "merged_into": "p-2"}]))
    assert merged["patient#p-2", "provider#dr-1"]["active"] is False


def test_a_roster_of_the_surviving_patient_does_not_keep_a_relationship_from_them() -> None:
    """One that has expired leaves the family doctor of the other record untold."""
    before = registry()
    key = relationship_key("p-2", "dr-1")
    before[at(key)] = {**key, "provider_id": "dr-1", "roster_until": "2026-01-31"}
    before["patient#p-2", "patient"]["circle"] = {"dr-1"}
    merge = [{"patient_id": "p-1", "merged_into": "p-2"}]
    merged = after(before, plan_of(before, patients=merge))["patient#p-2", "provider#dr-1"]
    own = before["patient#p-1", "provider#dr-1"]
    assert merged == {**own, **key, "roster_until": "2026-01-31"}


def test_a_row_of_a_merged_patient_changes_one_type_and_keeps_the_others() -> None:
    row = {"patient_id": "p-1", "provider_id": "dr-1", "relationship": "primary_care"}
    merge = [{"patient_id": "p-1", "merged_into": "p-2"}]
    before = registry()
    found = after(before, plan_of(before, patients=merge, relationships=[{**row, "active": "no"}]))
    copy = found["patient#p-2", "provider#dr-1"]
    assert (copy["relationship"], copy["active"]) == ("subscriber", True)
