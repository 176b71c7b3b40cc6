"""The checks that a registry's rows must pass, each fault named by file, line and column."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lambdas.common.contracts.recipient import RelationshipType
from lambdas.common.mail_address import is_address
from lambdas.registry.npi import is_npi
from lambdas.registry.preference_rows import HOW, is_date, preference_faults
from lambdas.registry.records import NPI_AUTHORITY

COLUMNS = {
    "patients.csv": ("patient_id", "family", "given", "birth_date", "sex"),
    "identifiers.csv": ("authority", "value", "patient_id", "provider_id"),
    "providers.csv": ("provider_id", "prefix", "given", "family", "npi", "email", "active"),
    "relationships.csv": ("patient_id", "provider_id", "relationship", "active"),
}
OPTIONAL = {
    "patients.csv": ("former_families", "merged_into"),
    "identifiers.csv": (),
    "providers.csv": (
        "kind",
        "notify",
        "event_types",
        "patient_classes",
        "facilities",
        "surrogate",
        "away_from",
        "away_until",
        "bundle",
        *HOW,
    ),
    "relationships.csv": (),
}
"""Columns that a file may leave out. Several values in one cell stand between semicolons."""

FILES = tuple(COLUMNS)
SEXES = ("F", "M", "O", "U", "")
ACTIVE = ("yes", "no", "")

Row = dict[str, str]
Places = Mapping[str, tuple[str, Sequence[int]]]


class InvalidRegistryError(ValueError):
    """Registry files with faults. `problems` name file, line and column, never a cell's text."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of the four files, stripped, each with every column of its file."""

    patients: list[Row] = field(repr=False)
    identifiers: list[Row] = field(repr=False)
    providers: list[Row] = field(repr=False)
    relationships: list[Row] = field(repr=False)


def checked(
    patients: Iterable[Mapping[str, str]],
    identifiers: Iterable[Mapping[str, str]],
    providers: Iterable[Mapping[str, str]],
    relationships: Iterable[Mapping[str, str]],
    places: Places | None = None,
) -> Rows:
    """The rows, when all of them hold together; else `InvalidRegistryError` with every fault.

    `places` says, by file, what it is really called and on which line each row stood.
    """
    check = _Check(places or {})
    rows = Rows(
        *(
            check.table(name, table)
            for name, table in zip(
                FILES, (patients, identifiers, providers, relationships), strict=True
            )
        )
    )
    if not check.problems:
        check.patients(rows)
        check.providers(rows)
        check.identifiers(rows)
        check.relationships(rows)
    if check.problems:
        raise InvalidRegistryError(check.problems)
    return rows


class _Check:
    """Walks the rows and collects what is wrong with them."""

    def __init__(self, places: Places) -> None:
        self.problems: list[str] = []
        self._places = places

    def place(self, file: str, index: int) -> str:
        name, lines = self._places.get(file, (file, ()))
        return f"{name} line {lines[index] if lines else index + 2}"

    def fault(self, file: str, index: int, column: str, what: str) -> None:
        self.problems.append(f"{self.place(file, index)}, {column}: {what}")

    def table(self, file: str, table: Iterable[Mapping[str, str]]) -> list[Row]:
        columns, optional = COLUMNS[file], OPTIONAL[file]
        rows = []
        for index, row in enumerate(table):
            given = set(row)
            if not set(columns) <= given <= {*columns, *optional} or None in row.values():
                self.problems.append(
                    f"{self.place(file, index)}: the columns are {','.join(columns)}"
                )
                return []
            rows.append({name: row.get(name, "").strip() for name in (*columns, *optional)})
        return rows

    def required(self, file: str, index: int, row: Row, *columns: str) -> None:
        for column in columns:
            if not row[column]:
                self.fault(file, index, column, "is empty")

    def unique(self, file: str, rows: list[Row], column: str) -> set[str]:
        seen: set[str] = set()
        for index, row in enumerate(rows):
            if row[column] and row[column] in seen:
                self.fault(file, index, column, "stands in an earlier line too")
            seen.add(row[column])
        return seen

    def patients(self, rows: Rows) -> None:
        file = "patients.csv"
        known = self.unique(file, rows.patients, "patient_id")
        merged = {row["patient_id"]: row["merged_into"] for row in rows.patients}
        for index, row in enumerate(rows.patients):
            if row["merged_into"] and row["merged_into"] not in known:
                self.fault(file, index, "merged_into", "is not in patients.csv")
            elif row["merged_into"] and not survivor(row["patient_id"], merged):
                self.fault(file, index, "merged_into", "leads back to the same patient")
            self.required(file, index, row, "patient_id", "family")
            if row["birth_date"] and not is_date(row["birth_date"]):
                self.fault(file, index, "birth_date", "is not a date as YYYY-MM-DD")
            if row["sex"] not in SEXES:
                self.fault(file, index, "sex", "is none of F, M, O, U")

    def providers(self, rows: Rows) -> None:
        file = "providers.csv"
        known = self.unique(file, rows.providers, "provider_id")
        self.unique(file, rows.providers, "npi")
        for index, row in enumerate(rows.providers):
            self.required(file, index, row, "provider_id", "family")
            if row["npi"] and not is_npi(row["npi"]):
                self.fault(file, index, "npi", "is not ten digits with a right check digit")
            if row["email"] and not is_address(row["email"]):
                self.fault(file, index, "email", "is not an e-mail address")
            if row["active"] not in ACTIVE:
                self.fault(file, index, "active", "is neither yes nor no")
            for column, what in preference_faults(row):
                self.fault(file, index, column, what)
            if row["surrogate"] and row["surrogate"] not in known:
                self.fault(file, index, "surrogate", "is not in providers.csv")

    def identifiers(self, rows: Rows) -> None:
        file = "identifiers.csv"
        patients = {row["patient_id"] for row in rows.patients}
        providers = {row["provider_id"] for row in rows.providers}
        owners = {(NPI_AUTHORITY, row["npi"]): row["provider_id"] for row in rows.providers}
        for index, row in enumerate(rows.identifiers):
            self.required(file, index, row, "authority", "value")
            if bool(row["patient_id"]) == bool(row["provider_id"]):
                self.fault(file, index, "patient_id", "a line names a patient or a provider")
            if row["patient_id"] and row["patient_id"] not in patients:
                self.fault(file, index, "patient_id", "is not in patients.csv")
            if row["provider_id"]:
                if row["provider_id"] not in providers:
                    self.fault(file, index, "provider_id", "is not in providers.csv")
                pair = (row["authority"], row["value"])
                if owners.setdefault(pair, row["provider_id"]) != row["provider_id"]:
                    self.fault(file, index, "value", "belongs to another provider too")

    def relationships(self, rows: Rows) -> None:
        file = "relationships.csv"
        patients = {row["patient_id"] for row in rows.patients}
        providers = {row["provider_id"] for row in rows.providers}
        seen: set[tuple[str, ...]] = set()
        for index, row in enumerate(rows.relationships):
            if row["patient_id"] not in patients:
                self.fault(file, index, "patient_id", "is not in patients.csv")
            if row["provider_id"] not in providers:
                self.fault(file, index, "provider_id", "is not in providers.csv")
            if row["relationship"] not in set(RelationshipType):
                self.fault(file, index, "relationship", f"is none of {', '.join(RelationshipType)}")
            if row["active"] not in ACTIVE:
                self.fault(file, index, "active", "is neither yes nor no")
            line = (row["patient_id"], row["provider_id"], row["relationship"])
            if line in seen:
                self.fault(file, index, "relationship", "stands in an earlier line too")
            seen.add(line)


def survivor(patient_id: str, merged: Mapping[str, str]) -> str:
    """Into whom a patient was merged at last, themselves when into nobody; "" when merges go in a circle."""
    seen: set[str] = set()
    while merged.get(patient_id):
        if patient_id in seen:
            return ""
        seen.add(patient_id)
        patient_id = merged[patient_id]
    return patient_id
