"""The plan of an import: the changes that the rows of registry files make to the items of the registry. Pure.

A row changes only the cells that it names: a column that the file lacks, and an empty cell, change
nothing. Items of a merged patient are filed under the surviving one.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from lambdas.registry.files import Table, read_folder
from lambdas.registry.items import (
    AUTHORITIES,
    CONSENT,
    At,
    Item,
    Key,
    at,
    consent_values,
    consents_key,
    identifier_key,
    one_or_list,
    patient_cells,
    patient_key,
    patient_values,
    provider_cells,
    provider_identifier_key,
    provider_key,
    provider_values,
    relationship_key,
    relationship_values,
)
from lambdas.registry.records import NPI_AUTHORITY
from lambdas.registry.rows import (
    COLUMNS,
    FILES,
    MORE_COLUMNS,
    InvalidRegistryError,
    KnownIds,
    Lines,
    Row,
    Rows,
    check,
    named_cells,
    place,
    survivor,
)
from lambdas.registry.stored import consents, texts

Known = Mapping[At, Item]
"""The items of the registry that a plan needs, by key."""


class RowState(StrEnum):
    """The effect of a row: a new item, changed cells, nothing, or the end of what it names."""

    NEW = "new"
    CHANGED = "changed"
    ENDED = "ended"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """The effect of one row. `place` is its file and line, `fields` are the columns that change."""

    file: str
    place: str
    state: RowState
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemChange:
    """The change of one item: attributes to set and to remove, and values to add to its sets."""

    key: Key
    values: Item = field(repr=False, default_factory=dict)
    added: dict[str, set[str]] = field(repr=False, default_factory=dict)
    removed: tuple[str, ...] = ()

    @property
    def item(self) -> Item:
        """The item that the change makes of nothing."""
        return {**self.key, **self.values, **self.added}


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The effect of each row, and the changes of items; an item that stays as it is has none."""

    rows: tuple[PlannedRow, ...]
    changes: tuple[ItemChange, ...]


@dataclass(frozen=True, slots=True)
class NamedRows:
    """The cells that the rows of each file name, with the place of each row."""

    tables: Mapping[str, list[Row]] = field(repr=False)
    lines: Lines = field(repr=False)

    @classmethod
    def of(cls, files: Mapping[str, Table], *, clear_empty: bool = False) -> "NamedRows":
        """The named cells of files; `InvalidRegistryError` as `named_cells`."""
        lines = {name: (table.name, table.lines) for name, table in files.items()}
        tables: dict[str, list[Row]] = {}
        faults: list[str] = []
        for name in FILES:
            try:
                table = files[name].rows if name in files else []
                tables[name] = named_cells(name, table, lines, clear_empty=clear_empty)
            except InvalidRegistryError as error:
                faults += error.problems
        if faults:
            raise InvalidRegistryError(faults)
        return cls(tables, lines)


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


def keys_to_read(named: NamedRows, known: Known) -> list[Key]:
    """The keys of the items that the plan depends on, by the merges that are known.

    Read them and ask again, until no key is new: a merge leads to further patients.
    """
    merged = _merged(named, known)
    keys = [
        *_keys_of_patients(named, merged),
        *_keys_of_identifiers(named),
        *_keys_of_providers(named),
        *_keys_of_relations(named, merged),
    ]
    return [key for key in {at(key): key for key in keys}.values() if all(key.values())]


def _keys_of_patients(named: NamedRows, merged: Mapping[str, str]) -> Iterator[Key]:
    for row in named.tables["patients.csv"]:
        yield patient_key(row["patient_id"])
        if row.get("merged_into"):
            for patient_id in _chain(row["patient_id"], merged):
                yield from (patient_key(patient_id), consents_key(patient_id))


def _keys_of_identifiers(named: NamedRows) -> Iterator[Key]:
    for row in named.tables["identifiers.csv"]:
        pair = row["authority"], row["value"]
        if row.get("patient_id"):
            yield from (identifier_key(*pair), {"pk": AUTHORITIES, "sk": row["authority"]})
        if row.get("provider_id"):
            yield provider_identifier_key(*pair)


def _keys_of_providers(named: NamedRows) -> Iterator[Key]:
    for row in named.tables["providers.csv"]:
        yield provider_key(row["provider_id"])
        if row.get("surrogate"):
            yield provider_key(row["surrogate"])
        if row.get("npi"):
            yield provider_identifier_key(NPI_AUTHORITY, row["npi"])


def _keys_of_relations(named: NamedRows, merged: Mapping[str, str]) -> Iterator[Key]:
    """The keys of the patients and providers that rows relate, and of what is filed about the pair."""
    for file in ("identifiers.csv", "relationships.csv", "consents.csv"):
        for row in named.tables[file]:
            chain = _chain(row["patient_id"], merged) if row.get("patient_id") else []
            yield from map(patient_key, chain)
            if row.get("provider_id"):
                yield provider_key(row["provider_id"])
            if file == "relationships.csv" and chain:
                yield relationship_key(chain[-1], row["provider_id"])
            if file == "consents.csv":
                yield from map(consents_key, chain)


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
    return ImportPlan(tuple(plan.states), tuple(plan.changes()))


def _merged(named: NamedRows, known: Known) -> dict[str, str]:
    """The patient into whom each patient was merged, "" for nobody: by the file, else by the registry."""
    merged = {item["patient_id"]: item.get("merged_into") or "" for item in _patients(known)}
    for row in named.tables["patients.csv"]:
        if "merged_into" in row:
            merged[row["patient_id"]] = row["merged_into"]
    return merged


def _patients(known: Known) -> Iterator[Item]:
    """The items of patients; an identifier's item has a patient's id too."""
    for item in known.values():
        patient_id = item.get("patient_id")
        if isinstance(patient_id, str) and at(item) == at(patient_key(patient_id)):
            yield item


def _providers(known: Known) -> Iterator[str]:
    """The providers of the registry by id: its items, and those whom an item that was checked names."""
    for item in known.values():
        if at(item) == at(provider_key(item.get("provider_id", ""))):
            yield item["provider_id"]
            yield item.get("surrogate", "")
        if item["sk"] == "consents":
            yield from (one.provider_id for one in consents(item))


def _chain(patient_id: str, merged: Mapping[str, str]) -> list[str]:
    """The patient and those into whom they were merged, the last one last. A circle is cut."""
    chain = [patient_id]
    while (following := merged.get(chain[-1])) and following not in chain:
        chain.append(following)
    return chain


class _Plan:
    """Collects the changes of items, file by file."""

    def __init__(self, named: NamedRows, known: Known) -> None:
        self._named = named
        self._known = known
        self._merged = _merged(named, known)
        self._drafts: dict[At, ItemChange] = {}
        self.states: list[PlannedRow] = []
        self.rows = Rows(*(self._whole(file) for file in FILES))
        self.filed = KnownIds(
            patients=frozenset(item["patient_id"] for item in _patients(known)),
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

    def changes(self) -> Iterator[ItemChange]:
        """The changes that change something."""
        for key, draft in self._drafts.items():
            if key not in self._known or draft.values or draft.added or draft.removed:
                yield draft

    def patients(self) -> None:
        for index, row in enumerate(self.rows.patients):
            key = patient_key(row["patient_id"])
            self._attributes("patients.csv", index, key, patient_values(row))
            self._add(key, "circle", self._circles[row["patient_id"]])
            if row["merged_into"]:
                self._move_consents(index, row["patient_id"])
        for patient_id, circle in self._circles.items():
            self._add(patient_key(patient_id), "circle", circle)

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
                    self._add(key, "merged_from", {row["patient_id"]})
                if len(patients) == 1:
                    stored = self._known.get(at(patient_key(survives)), {}).get("circle", set())
                    self._add(key, "circle", stored | self._circles[survives])
        for authority in dict.fromkeys(row["authority"] for row in rows):
            self._set({"pk": AUTHORITIES, "sk": authority}, {"authority": authority})

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
                self._set(key, {"provider_id": named["provider_id"]})

    def relationships(self) -> None:
        file = "relationships.csv"
        pairs: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index, row in enumerate(self.rows.relationships):
            pairs[self._survivor(row["patient_id"]), row["provider_id"]].append(index)
        for (patient_id, provider_id), indexes in pairs.items():
            key = relationship_key(patient_id, provider_id)
            stored = self._known.get(at(key), {})
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
            self._set(key, relationship_values(provider_id, current, ended), owned=("ended",))

    def consents(self) -> None:
        file = "consents.csv"
        for index, row in enumerate(self.rows.consents):
            key = consents_key(self._survivor(row["patient_id"]))
            name = CONSENT + row["consent_id"]
            before = self._known.get(at(key), {}).get(name)
            after = consent_values(row)
            self._set(key, {name: after})
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
        nothing = dict.fromkeys((*COLUMNS[file], *MORE_COLUMNS[file]), "")
        return [{**nothing, **self._stored(file, row), **row} for row in self._named.tables[file]]

    def _stored(self, file: str, row: Row) -> Row:
        """The cells of the row's item in the registry."""
        if file == "patients.csv":
            return patient_cells(self._known.get(at(patient_key(row["patient_id"])), {}))
        if file == "providers.csv":
            return provider_cells(self._known.get(at(provider_key(row["provider_id"])), {}))
        if file == "consents.csv":
            # KnownIds under the surviving patient; before the merge, under the row's own.
            for patient_id in reversed(_chain(row["patient_id"], self._merged)):
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
        if any(there.get(name, value) != value for name, value in moved.items()):
            where = place(self._named.lines, "patients.csv", index)
            what = (
                "merged_into: both patients have a consent of one id; give one of them another id"
            )
            raise InvalidRegistryError([f"{where}, {what}"])
        if moved:
            self._set(key, moved)

    def _attributes(self, file: str, index: int, key: Key, built: Item) -> None:
        """Changes the attributes of the columns that the row names, and all of a new item."""
        named = tuple(self._named.tables[file][index])
        stored = self._known.get(at(key))
        if stored is None or "family" not in stored:
            self._set(key, built)
            self._note(file, index, RowState.NEW)
            return
        chosen = {name: built[name] for name in named if name in built}
        self._set(key, chosen, owned=named)
        fields = tuple(name for name in named if stored.get(name) != built.get(name))
        ends = "active" in fields and built["active"] is False
        state = RowState.CHANGED if fields else RowState.UNCHANGED
        self._note(file, index, RowState.ENDED if ends else state, fields)

    def _row(self, file: str, index: int, key: Key, values: Item, column: str) -> None:
        """Sets the attributes of an item that a row names whole."""
        stored = self._known.get(at(key))
        self._set(key, values)
        if stored is None:
            self._note(file, index, RowState.NEW)
        elif all(stored.get(name) == value for name, value in values.items()):
            self._note(file, index, RowState.UNCHANGED)
        else:
            self._note(file, index, RowState.CHANGED, (column,))

    def _note(self, file: str, index: int, state: RowState, fields: tuple[str, ...] = ()) -> None:
        where = place(self._named.lines, file, index)
        self.states.append(PlannedRow(file, where, state, fields))

    def _set(self, key: Key, values: Item, owned: tuple[str, ...] = ()) -> None:
        """Sets what differs from the registry, and removes the attributes `owned` that have no value."""
        stored, draft = self._known.get(at(key), {}), self._draft(key)
        differing = {n: value for n, value in values.items() if stored.get(n) != value}
        removed = tuple(name for name in owned if name in stored and name not in values)
        self._drafts[at(key)] = ItemChange(
            key, {**draft.values, **differing}, draft.added, (*draft.removed, *removed)
        )

    def _add(self, key: Key, name: str, values: set[str]) -> None:
        """Adds values to a set of an item; DynamoDB knows no empty set."""
        draft = self._draft(key)
        new = (values | draft.added.get(name, set())) - self._known.get(at(key), {}).get(
            name, set()
        )
        if new:
            self._drafts[at(key)] = ItemChange(
                key, draft.values, {**draft.added, name: new}, draft.removed
            )

    def _draft(self, key: Key) -> ItemChange:
        return self._drafts.get(at(key)) or ItemChange(key)


def _moved(kind: str, active: str, current: list[str], ended: list[str]) -> RowState:
    """Moves a type between the current and the ended ones, and returns what that is."""
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
