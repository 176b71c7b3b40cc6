"""The cells that registry files name, and the items of the registry on which they depend. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lambdas.registry.importing.changes import Known
from lambdas.registry.importing.columns import (
    COLUMNS,
    FILES,
    KEY_COLUMNS,
    MORE_COLUMNS,
    InvalidRegistryError,
    Lines,
    Row,
    place,
)
from lambdas.registry.importing.files import Table
from lambdas.registry.importing.merges import merge_chain
from lambdas.registry.keys import (
    AUTHORITIES,
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


@dataclass(frozen=True, slots=True)
class NamedRows:
    """The cells that the rows of each file name, with the place of each row."""

    tables: Mapping[str, list[Row]] = field(repr=False)
    lines: Lines = field(repr=False)

    @classmethod
    def of(cls, files: Mapping[str, Table], *, clear_empty: bool = False) -> "NamedRows":
        """The named cells of files; `InvalidRegistryError` names each faulty file and line."""
        lines = {name: (table.name, table.lines) for name, table in files.items()}
        tables: dict[str, list[Row]] = {}
        faults: list[str] = []
        for name in FILES:
            try:
                table = files[name].rows if name in files else []
                tables[name] = _named_cells(name, table, lines, clear_empty=clear_empty)
            except InvalidRegistryError as error:
                faults += error.problems
        if faults:
            raise InvalidRegistryError(faults)
        return cls(tables, lines)


def _named_cells(file: str, table: Sequence[Row], lines: Lines, *, clear_empty: bool) -> list[Row]:
    """Of each row, the key columns and the other cells that it names, stripped.

    An empty cell names nothing, or "" with `clear_empty`. Raises `InvalidRegistryError` for a file
    without its key columns, or with a column that does not exist.
    """
    keys, known = set(KEY_COLUMNS[file]), {*COLUMNS[file], *MORE_COLUMNS.get(file, ())}
    found = []
    for index, row in enumerate(table):
        if not keys <= set(row) <= known or None in row.values():
            columns = f"{','.join(KEY_COLUMNS[file])}; optional: {','.join(sorted(known - keys))}"
            raise InvalidRegistryError([f"{place(lines, file, index)}: the columns are {columns}"])
        cells = {name: cell.strip() for name, cell in row.items()}
        found.append({n: c for n, c in cells.items() if n in keys or c or clear_empty})
    return found


def keys_to_read(named: NamedRows, known: Known) -> list[Key]:
    """The keys of the items that the plan depends on, by the merges that are known.

    Read them and ask again, until no key is new: a merge leads to further patients.
    """
    merged = merged_patients(named, known)
    keys = [
        *_keys_of_patients(named, known, merged),
        *_keys_of_identifiers(named),
        *_keys_of_providers(named),
        *_keys_of_relations(named, merged),
    ]
    return [key for key in {at(key): key for key in keys}.values() if all(key.values())]


def _keys_of_patients(named: NamedRows, known: Known, merged: Mapping[str, str]) -> Iterator[Key]:
    for row in named.tables["patients.csv"]:
        own = patient_key(row["patient_id"])
        yield own
        if row.get("merged_into"):
            chain = merge_chain(row["patient_id"], merged)
            for patient_id in chain:
                yield from (patient_key(patient_id), consents_key(patient_id))
            for provider_id in known.get(at(own), {}).get("circle", ()):
                yield from (relationship_key(one, provider_id) for one in (chain[0], chain[-1]))


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
    """The keys of the patients and providers that rows relate, of their relationships and consents."""
    for file in ("identifiers.csv", "relationships.csv", "consents.csv"):
        for row in named.tables[file]:
            chain = merge_chain(row["patient_id"], merged) if row.get("patient_id") else []
            yield from map(patient_key, chain)
            if row.get("provider_id"):
                yield provider_key(row["provider_id"])
            if file == "relationships.csv" and chain:
                yield from (relationship_key(one, row["provider_id"]) for one in chain)
            if file == "consents.csv":
                yield from map(consents_key, chain)


def merged_patients(named: NamedRows, known: Known) -> dict[str, str]:
    """The patient into whom each patient was merged, "" for nobody: by the file, else by the registry."""
    merged = {item["patient_id"]: item.get("merged_into") or "" for item in patients_of(known)}
    for row in named.tables["patients.csv"]:
        if "merged_into" in row:
            merged[row["patient_id"]] = row["merged_into"]
    return merged


def patients_of(known: Known) -> Iterator[Item]:
    """The items of patients; an identifier's item has a patient's id too."""
    for item in known.values():
        patient_id = item.get("patient_id")
        if isinstance(patient_id, str) and at(item) == at(patient_key(patient_id)):
            yield item
