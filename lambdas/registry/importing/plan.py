"""The plan of an import: the changes that the rows of registry files make to the items of the registry. Pure.

A row changes only the cells that it names: a column that the file lacks, and an empty cell, change
nothing. Items of a merged patient are filed under the surviving one.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lambdas.registry.from_items import consents, texts
from lambdas.registry.importing.changes import ImportPlan, ItemChanges, Known, PlannedRow, RowState
from lambdas.registry.importing.checks import KnownIds, Rows, check
from lambdas.registry.importing.columns import (
    COLUMNS,
    FILES,
    MORE_COLUMNS,
    InvalidRegistryError,
    Row,
    place,
)
from lambdas.registry.importing.files import Table, read_folder
from lambdas.registry.importing.merges import merge_chain, survivor
from lambdas.registry.importing.named_cells import NamedRows, merged_patients, patients_of
from lambdas.registry.importing.to_items import (
    consent_values,
    one_or_list,
    patient_cells,
    patient_values,
    provider_cells,
    provider_values,
    relationship_values,
)
from lambdas.registry.keys import (
    AUTHORITIES,
    CONSENT,
    At,
    Item,
    Key,
    at,
    consents_key,
    identifier_key,
    patient_key,
    provider_identifier_key,
    provider_key,
    relationship_key,
)
from lambdas.registry.records import NPI_AUTHORITY

STATE_OF_TYPES = ("active", "ended")
"""The attributes that say whether the types of a relationship (`relationship`) hold."""


def items_of_folder(folder: Path) -> list[Item]:
    """Every item that the registry files of a folder make in an empty registry."""
    return _items(read_folder(folder))


def items(
    patients: Sequence[Row],
    identifiers: Sequence[Row],
    providers: Sequence[Row],
    relationships: Sequence[Row],
    consents: Sequence[Row] = (),
) -> list[Item]:
    """Every item that rows make in an empty registry; `InvalidRegistryError` as `planned`."""
    tables = zip(FILES, (patients, identifiers, providers, relationships, consents), strict=True)
    return _items({name: Table(name, list(rows), []) for name, rows in tables})


def _items(files: Mapping[str, Table]) -> list[Item]:
    return [change.item for change in planned(NamedRows.of(files), {}).changes]


def planned(named: NamedRows, known: Known) -> ImportPlan:
    """The plan for the rows, given the items of the registry that they depend on.

    Raises `InvalidRegistryError` that lists every fault by file, line and column.
    """
    plan = _Plan(named, known)
    check(plan.rows, plan.filed, named.lines)
    plan.patients()
    plan.identifiers()
    plan.providers()
    plan.relationships()
    plan.consents()
    return ImportPlan(tuple(plan.states), tuple(plan.changes.all()))


def _providers(known: Known) -> Iterator[str]:
    """The providers of the registry by id: its items, and those whom an item that was checked names."""
    for item in known.values():
        if at(item) == at(provider_key(item.get("provider_id", ""))):
            yield item["provider_id"]
            yield item.get("surrogate", "")
        if item["sk"] == "consents":
            yield from (one.provider_id for one in consents(item))


class _Plan:
    """Plans the changes of items, file by file."""

    def __init__(self, named: NamedRows, known: Known) -> None:
        self._named = named
        self._known = known
        self._merged = merged_patients(named, known)
        self.changes = ItemChanges(known)
        self.states: list[PlannedRow] = []
        self.rows = Rows(*(self._whole(file) for file in FILES))
        self.filed = KnownIds(
            patients=frozenset(item["patient_id"] for item in patients_of(known)),
            providers=frozenset(_providers(known)),
            merged=self._merged,
            npis={
                row["npi"]: item["provider_id"]
                for row in named.tables["providers.csv"]
                if row.get("npi")
                and (item := known.get(at(provider_identifier_key(NPI_AUTHORITY, row["npi"]))))
            },
        )
        self._circles = self._related()

    def patients(self) -> None:
        for index, row in enumerate(self.rows.patients):
            key = patient_key(row["patient_id"])
            self._attributes("patients.csv", index, key, patient_values(row))
            self.changes.add_to_set(key, "circle", self._circles[row["patient_id"]])
            if row["merged_into"]:
                self._move_consents(index, row["patient_id"])
                self._move_relationships(row["patient_id"])
        for patient_id, circle in self._circles.items():
            self.changes.add_to_set(patient_key(patient_id), "circle", circle)

    def identifiers(self) -> None:
        file = "identifiers.csv"
        found: dict[At, list[str]] = {}
        rows = [row for row in self.rows.identifiers if row["patient_id"]]
        for row in rows:
            survives = self._survivor(row["patient_id"])
            filed = found.setdefault(at(identifier_key(row["authority"], row["value"])), [])
            if survives not in filed:
                filed.append(survives)
        for index, row in enumerate(self.rows.identifiers):
            if row["patient_id"]:
                key = identifier_key(row["authority"], row["value"])
                patients = found[at(key)]
                self._row(file, index, key, {"patient_id": one_or_list(patients)}, "patient_id")
                if (survives := self._survivor(row["patient_id"])) != row["patient_id"]:
                    self.changes.add_to_set(key, "merged_from", {row["patient_id"]})
                if len(patients) == 1:
                    stored = self._known.get(at(patient_key(survives)), {}).get("circle", set())
                    self.changes.add_to_set(key, "circle", stored | self._circles[survives])
        for authority in dict.fromkeys(row["authority"] for row in rows):
            self.changes.set_values({"pk": AUTHORITIES, "sk": authority}, {"authority": authority})

    def providers(self) -> None:
        for index, row in enumerate(self.rows.providers):
            key = provider_key(row["provider_id"])
            self._attributes("providers.csv", index, key, provider_values(row))
        for index, row in enumerate(self.rows.identifiers):
            if row["provider_id"]:
                key = provider_identifier_key(row["authority"], row["value"])
                values = {"provider_id": row["provider_id"]}
                self._row("identifiers.csv", index, key, values, "provider_id")
        for named in self._named.tables["providers.csv"]:
            if named.get("npi"):
                key = provider_identifier_key(NPI_AUTHORITY, named["npi"])
                self.changes.set_values(key, {"provider_id": named["provider_id"]})

    def relationships(self) -> None:
        file = "relationships.csv"
        pairs: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index, row in enumerate(self.rows.relationships):
            pairs[self._survivor(row["patient_id"]), row["provider_id"]].append(index)
        for (patient_id, provider_id), indexes in pairs.items():
            key = relationship_key(patient_id, provider_id)
            stored = self._stored_relationship(indexes[0])
            types = list(texts(stored.get("relationship", ())))
            is_active = stored.get("active", True) is not False
            current = types if is_active else []
            ended = list(texts(stored.get("ended", ()))) if is_active else types
            for index in indexes:
                row = self.rows.relationships[index]
                state = _moved(row["relationship"], row["active"], current, ended)
                self._note(
                    file,
                    index,
                    state,
                    ("active",) if state in (RowState.CHANGED, RowState.ENDED) else (),
                )
            self.changes.set_values(
                key, relationship_values(provider_id, current, ended), owned=("ended",)
            )

    def consents(self) -> None:
        file = "consents.csv"
        for index, row in enumerate(self.rows.consents):
            key = consents_key(self._survivor(row["patient_id"]))
            name = CONSENT + row["consent_id"]
            before = self._known.get(at(key), {}).get(name)
            after = consent_values(row)
            self.changes.set_values(key, {name: after})
            fields = tuple(
                n for n in after | (before or {}) if (before or {}).get(n) != after.get(n)
            )
            state = RowState.CHANGED if fields else RowState.UNCHANGED
            if before is None:
                state, fields = RowState.NEW, ()
            elif "valid_until" in fields and not before.get("valid_until"):
                state = RowState.ENDED
            self._note(file, index, state, fields)

    def _whole(self, file: str) -> list[Row]:
        """The rows of a file with every column: the cells that they name over those of the registry."""
        nothing = dict.fromkeys((*COLUMNS[file], *MORE_COLUMNS.get(file, ())), "")
        return [{**nothing, **self._stored(file, row), **row} for row in self._named.tables[file]]

    def _stored(self, file: str, row: Row) -> Row:
        """The cells of the row's item in the registry."""
        if file == "patients.csv":
            return patient_cells(self._known.get(at(patient_key(row["patient_id"])), {}))
        if file == "providers.csv":
            return provider_cells(self._known.get(at(provider_key(row["provider_id"])), {}))
        if file == "consents.csv":
            # Filed under the surviving patient; before the merge, under the row's own.
            for patient_id in reversed(merge_chain(row["patient_id"], self._merged)):
                item = self._known.get(at(consents_key(patient_id)), {})
                if CONSENT + row["consent_id"] in item:
                    return dict(item[CONSENT + row["consent_id"]])
        return {}

    def _related(self) -> dict[str, set[str]]:
        """The providers whom the file of relationships names, by surviving patient."""
        circles: dict[str, set[str]] = defaultdict(set)
        for row in self.rows.relationships:
            circles[self._survivor(row["patient_id"])].add(row["provider_id"])
        return circles

    def _survivor(self, patient_id: str) -> str:
        return survivor(patient_id, self._merged)

    def _move_consents(self, index: int, patient_id: str) -> None:
        """Copies the consents of a merged patient to the surviving one: an opt-out holds for both."""
        own = self._known.get(at(consents_key(patient_id)), {})
        key = consents_key(self._survivor(patient_id))
        there = self._known.get(at(key), {})
        moved = {name: value for name, value in own.items() if name.startswith(CONSENT)}
        begun = {
            CONSENT + row["consent_id"]
            for row in self.rows.consents
            if at(consents_key(row["patient_id"])) == at(key)
        }
        if (begun - there.keys()) & moved.keys() or any(
            there.get(name, value) != value for name, value in moved.items()
        ):
            where = place(self._named.lines, "patients.csv", index)
            what = (
                "merged_into: both patients have a consent of one id; give one of them another id"
            )
            raise InvalidRegistryError([f"{where}, {what}"])
        if moved:
            self.changes.set_values(key, moved)

    def _move_relationships(self, patient_id: str) -> None:
        """Copies the relationships and rosters of a merged patient to the surviving one, but for those that are there."""
        survives = self._survivor(patient_id)
        circle = self._known.get(at(patient_key(patient_id)), {}).get("circle", set())
        for provider_id in sorted(circle):
            own = self._known.get(at(relationship_key(patient_id, provider_id)), {})
            key = relationship_key(survives, provider_id)
            there = self._known.get(at(key), {})
            kept = {*key, *there, *(STATE_OF_TYPES if "relationship" in there else ())}
            self.changes.set_values(key, {n: value for n, value in own.items() if n not in kept})
        self.changes.add_to_set(patient_key(survives), "circle", circle)

    def _stored_relationship(self, index: int) -> Item:
        """The item of a row's relationship: the surviving patient's; before the merge, the row's own."""
        row = self.rows.relationships[index]
        for patient_id in reversed(merge_chain(row["patient_id"], self._merged)):
            item = self._known.get(at(relationship_key(patient_id, row["provider_id"])), {})
            if "relationship" in item:
                return item
        return {}

    def _attributes(self, file: str, index: int, key: Key, built: Item) -> None:
        """Changes the attributes of the columns that the row names, and all of a new item."""
        named = tuple(self._named.tables[file][index])
        stored = self._known.get(at(key))
        if stored is None or "family" not in stored:
            self.changes.set_values(key, built)
            self._note(file, index, RowState.NEW)
            return
        chosen = {name: built[name] for name in named if name in built}
        self.changes.set_values(key, chosen, owned=named)
        fields = tuple(name for name in named if stored.get(name) != built.get(name))
        ends = "active" in fields and built["active"] is False
        state = RowState.CHANGED if fields else RowState.UNCHANGED
        self._note(file, index, RowState.ENDED if ends else state, fields)

    def _row(self, file: str, index: int, key: Key, values: Item, column: str) -> None:
        """Sets the attributes of an item that a row names whole."""
        stored = self._known.get(at(key))
        self.changes.set_values(key, values)
        if stored is None:
            self._note(file, index, RowState.NEW)
        elif all(stored.get(name) == value for name, value in values.items()):
            self._note(file, index, RowState.UNCHANGED)
        else:
            self._note(file, index, RowState.CHANGED, (column,))

    def _note(self, file: str, index: int, state: RowState, fields: tuple[str, ...] = ()) -> None:
        where = place(self._named.lines, file, index)
        self.states.append(PlannedRow(file, where, state, fields))


def _moved(kind: str, active: str, current: list[str], ended: list[str]) -> RowState:
    """Moves a type between the current and the ended ones, and returns the effect."""
    was = "current" if kind in current else "ended" if kind in ended else ""
    if active == "no":
        if was == "current":
            current.remove(kind)
        if was != "ended":
            ended.append(kind)
        return {"current": RowState.ENDED, "ended": RowState.UNCHANGED}.get(was, RowState.NEW)
    if was == "current" or (was == "ended" and not active):
        return RowState.UNCHANGED
    if was == "ended":
        ended.remove(kind)
    current.append(kind)
    return RowState.CHANGED if was else RowState.NEW
