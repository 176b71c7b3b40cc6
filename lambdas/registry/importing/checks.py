"""The checks that a registry's rows must pass, each fault named by file, line and column."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdas.common.clock import is_day
from lambdas.common.mail_address import is_address
from lambdas.registry.importing.columns import (
    DATES,
    FILLED_COLUMNS,
    WORDS,
    InvalidRegistryError,
    Lines,
    Row,
    place,
)
from lambdas.registry.importing.merges import survivor
from lambdas.registry.importing.preference_checks import preference_faults
from lambdas.registry.npi import is_npi
from lambdas.registry.records import NPI_AUTHORITY

NOT_A_PATIENT = "is neither in patients.csv nor in the registry"
NOT_A_PROVIDER = "is neither in providers.csv nor in the registry"


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of the files, each with every column of its file; a file that is not imported has none."""

    patients: list[Row] = field(repr=False, default_factory=list)
    identifiers: list[Row] = field(repr=False, default_factory=list)
    providers: list[Row] = field(repr=False, default_factory=list)
    relationships: list[Row] = field(repr=False, default_factory=list)
    consents: list[Row] = field(repr=False, default_factory=list)


@dataclass(frozen=True, slots=True)
class KnownIds:
    """The patients and providers of the registry that the rows name.

    `patients` and `providers` are ids, `merged` the survivor of each merged patient, `npis` the provider
    who has a National Provider Identifier.
    """

    patients: frozenset[str] = field(repr=False, default=frozenset())
    providers: frozenset[str] = field(repr=False, default=frozenset())
    merged: Mapping[str, str] = field(repr=False, default_factory=dict)
    npis: Mapping[str, str] = field(repr=False, default_factory=dict)


def check(rows: Rows, filed: KnownIds, lines: Lines) -> None:
    """Raises `InvalidRegistryError` with every fault of the rows."""
    checks = _Check(lines, filed)
    checks.patients(rows)
    checks.providers(rows)
    checks.identifiers(rows)
    checks.relationships(rows)
    checks.consents(rows)
    if checks.problems:
        raise InvalidRegistryError(checks.problems)


class _Check:
    """Collects the faults of the rows."""

    def __init__(self, lines: Lines, filed: KnownIds) -> None:
        self.problems: list[str] = []
        self._lines = lines
        self._filed = filed

    def fault(self, file: str, index: int, column: str, what: str) -> None:
        self.problems.append(f"{place(self._lines, file, index)}, {column}: {what}")

    def related(self, file: str, named: list[Row], rows: Rows) -> None:
        """The patient and the provider of each row are in the files or in the registry."""
        patients, providers = self.known(rows)
        for index, row in enumerate(named):
            if row["patient_id"] and row["patient_id"] not in patients:
                self.fault(file, index, "patient_id", NOT_A_PATIENT)
            if row["provider_id"] and row["provider_id"] not in providers:
                self.fault(file, index, "provider_id", NOT_A_PROVIDER)

    def known(self, rows: Rows) -> tuple[set[str], set[str]]:
        patients = {row["patient_id"] for row in rows.patients} | self._filed.patients
        providers = {row["provider_id"] for row in rows.providers} | self._filed.providers
        return patients, providers

    def columns(self, file: str, rows: list[Row]) -> None:
        """Each column by itself: filled, one of its words, a day."""
        for index, row in enumerate(rows):
            for column in FILLED_COLUMNS[file]:
                if not row[column]:
                    self.fault(file, index, column, "is empty")
            for column, words in WORDS.get(file, {}).items():
                if row[column] not in words:
                    self.fault(file, index, column, f"is none of {', '.join(filter(None, words))}")
            for column in DATES.get(file, ()):
                if row[column] and not is_day(row[column]):
                    self.fault(file, index, column, "is not a date as YYYY-MM-DD")

    def unique(self, file: str, rows: list[Row], column: str, *others: str) -> None:
        """The cell of a column is in one line alone; or together with those of other columns."""
        seen: set[tuple[str, ...]] = set()
        for index, row in enumerate(rows):
            cells = tuple(row[name] for name in (*others, column))
            if row[column] and cells in seen:
                self.fault(file, index, column, "stands in an earlier line too")
            seen.add(cells)

    def patients(self, rows: Rows) -> None:
        file = "patients.csv"
        self.columns(file, rows.patients)
        self.unique(file, rows.patients, "patient_id")
        known, _ = self.known(rows)
        for index, row in enumerate(rows.patients):
            if row["merged_into"] and row["merged_into"] not in known:
                self.fault(file, index, "merged_into", NOT_A_PATIENT)
            elif row["merged_into"] and not survivor(row["patient_id"], self._filed.merged):
                self.fault(file, index, "merged_into", "leads back to the same patient")

    def providers(self, rows: Rows) -> None:
        file = "providers.csv"
        self.columns(file, rows.providers)
        self.unique(file, rows.providers, "provider_id")
        self.unique(file, rows.providers, "npi")
        _, known = self.known(rows)
        given = {row["provider_id"] for row in rows.providers}
        for index, row in enumerate(rows.providers):
            if row["npi"] and not is_npi(row["npi"]):
                self.fault(file, index, "npi", "is not ten digits with a right check digit")
            owner = self._filed.npis.get(row["npi"], row["provider_id"])
            if owner != row["provider_id"] and owner not in given:
                self.fault(file, index, "npi", "belongs to another provider of the registry")
            if row["email"] and not is_address(row["email"]):
                self.fault(file, index, "email", "is not an e-mail address")
            for column, what in preference_faults(row):
                self.fault(file, index, column, what)
            if row["surrogate"] and row["surrogate"] not in known:
                self.fault(file, index, "surrogate", NOT_A_PROVIDER)

    def identifiers(self, rows: Rows) -> None:
        file = "identifiers.csv"
        self.columns(file, rows.identifiers)
        self.related(file, rows.identifiers, rows)
        owners = {(NPI_AUTHORITY, row["npi"]): row["provider_id"] for row in rows.providers}
        for index, row in enumerate(rows.identifiers):
            if bool(row["patient_id"]) == bool(row["provider_id"]):
                self.fault(file, index, "patient_id", "a line names a patient or a provider")
            if row["provider_id"]:
                pair = (row["authority"], row["value"])
                if owners.setdefault(pair, row["provider_id"]) != row["provider_id"]:
                    self.fault(file, index, "value", "belongs to another provider too")

    def relationships(self, rows: Rows) -> None:
        file = "relationships.csv"
        self.columns(file, rows.relationships)
        self.related(file, rows.relationships, rows)
        self.unique(file, rows.relationships, "relationship", "patient_id", "provider_id")

    def consents(self, rows: Rows) -> None:
        file = "consents.csv"
        self.columns(file, rows.consents)
        self.related(file, rows.consents, rows)
        # The consents of merged patients are filed together, with the surviving one.
        filed = [
            {**row, "patient_id": survivor(row["patient_id"], self._filed.merged)}
            for row in rows.consents
        ]
        self.unique(file, filed, "consent_id", "patient_id")
        for index, row in enumerate(rows.consents):
            if row["valid_until"] and row["valid_from"] > row["valid_until"]:
                self.fault(file, index, "valid_until", "is before valid_from")
