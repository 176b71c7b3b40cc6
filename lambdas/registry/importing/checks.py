"""The checks that a registry's rows must pass, each fault named by file, line and column."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdas.common.contracts.consent import Direction, Sensitivity
from lambdas.common.contracts.recipient import RelationshipType
from lambdas.common.mail_address import is_address
from lambdas.registry.importing.columns import InvalidRegistryError, Lines, Row, is_date, place
from lambdas.registry.importing.merges import survivor
from lambdas.registry.importing.preference_checks import preference_faults
from lambdas.registry.npi import is_npi
from lambdas.registry.records import NPI_AUTHORITY

NOT_A_PATIENT = "is neither in patients.csv nor in the registry"
NOT_A_PROVIDER = "is neither in providers.csv nor in the registry"
SEXES = ("F", "M", "O", "U", "")
ACTIVE = ("yes", "no", "")


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
    """Raises `InvalidRegistryError` with every fault, where the rows do not hold together."""
    checks = _Check(lines, filed)
    checks.patients(rows)
    checks.providers(rows)
    checks.identifiers(rows)
    checks.relationships(rows)
    checks.consents(rows)
    if checks.problems:
        raise InvalidRegistryError(checks.problems)


class _Check:
    """Walks the rows and collects what is wrong with them."""

    def __init__(self, lines: Lines, filed: KnownIds) -> None:
        self.problems: list[str] = []
        self._lines = lines
        self._filed = filed

    def fault(self, file: str, index: int, column: str, what: str) -> None:
        self.problems.append(f"{place(self._lines, file, index)}, {column}: {what}")

    def related(
        self, file: str, index: int, row: Row, patients: set[str], providers: set[str]
    ) -> None:
        """A row's patient and provider are in the files or in the registry."""
        if row["patient_id"] and row["patient_id"] not in patients:
            self.fault(file, index, "patient_id", NOT_A_PATIENT)
        if row["provider_id"] and row["provider_id"] not in providers:
            self.fault(file, index, "provider_id", NOT_A_PROVIDER)

    def known(self, rows: Rows) -> tuple[set[str], set[str]]:
        patients = {row["patient_id"] for row in rows.patients} | self._filed.patients
        providers = {row["provider_id"] for row in rows.providers} | self._filed.providers
        return patients, providers

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
        self.unique(file, rows.patients, "patient_id")
        known, _ = self.known(rows)
        given = {row["patient_id"]: row["merged_into"] for row in rows.patients}
        merged = {**self._filed.merged, **given}
        for index, row in enumerate(rows.patients):
            if row["merged_into"] and row["merged_into"] not in known:
                self.fault(file, index, "merged_into", NOT_A_PATIENT)
            elif row["merged_into"] and not survivor(row["patient_id"], merged):
                self.fault(file, index, "merged_into", "leads back to the same patient")
            self.required(file, index, row, "patient_id", "family")
            if row["birth_date"] and not is_date(row["birth_date"]):
                self.fault(file, index, "birth_date", "is not a date as YYYY-MM-DD")
            if row["sex"] not in SEXES:
                self.fault(file, index, "sex", "is none of F, M, O, U")

    def providers(self, rows: Rows) -> None:
        file = "providers.csv"
        self.unique(file, rows.providers, "provider_id")
        self.unique(file, rows.providers, "npi")
        _, known = self.known(rows)
        given = {row["provider_id"] for row in rows.providers}
        for index, row in enumerate(rows.providers):
            self.required(file, index, row, "provider_id", "family")
            if row["npi"] and not is_npi(row["npi"]):
                self.fault(file, index, "npi", "is not ten digits with a right check digit")
            owner = self._filed.npis.get(row["npi"], row["provider_id"])
            if owner != row["provider_id"] and owner not in given:
                self.fault(file, index, "npi", "belongs to another provider of the registry")
            if row["email"] and not is_address(row["email"]):
                self.fault(file, index, "email", "is not an e-mail address")
            if row["active"] not in ACTIVE:
                self.fault(file, index, "active", "is neither yes nor no")
            for column, what in preference_faults(row):
                self.fault(file, index, column, what)
            if row["surrogate"] and row["surrogate"] not in known:
                self.fault(file, index, "surrogate", NOT_A_PROVIDER)

    def identifiers(self, rows: Rows) -> None:
        file = "identifiers.csv"
        patients, providers = self.known(rows)
        owners = {(NPI_AUTHORITY, row["npi"]): row["provider_id"] for row in rows.providers}
        for index, row in enumerate(rows.identifiers):
            self.required(file, index, row, "authority", "value")
            if bool(row["patient_id"]) == bool(row["provider_id"]):
                self.fault(file, index, "patient_id", "a line names a patient or a provider")
            self.related(file, index, row, patients, providers)
            if row["provider_id"]:
                pair = (row["authority"], row["value"])
                if owners.setdefault(pair, row["provider_id"]) != row["provider_id"]:
                    self.fault(file, index, "value", "belongs to another provider too")

    def relationships(self, rows: Rows) -> None:
        file = "relationships.csv"
        patients, providers = self.known(rows)
        seen: set[tuple[str, ...]] = set()
        for index, row in enumerate(rows.relationships):
            self.required(file, index, row, "patient_id", "provider_id")
            self.related(file, index, row, patients, providers)
            if row["relationship"] not in set(RelationshipType):
                self.fault(file, index, "relationship", f"is none of {', '.join(RelationshipType)}")
            if row["active"] not in ACTIVE:
                self.fault(file, index, "active", "is neither yes nor no")
            line = (row["patient_id"], row["provider_id"], row["relationship"])
            if line in seen:
                self.fault(file, index, "relationship", "stands in an earlier line too")
            seen.add(line)

    def consents(self, rows: Rows) -> None:
        file = "consents.csv"
        patients, providers = self.known(rows)
        seen: set[tuple[str, ...]] = set()
        for index, row in enumerate(rows.consents):
            self.required(file, index, row, "consent_id", "patient_id")
            self.related(file, index, row, patients, providers)
            if row["direction"] not in set(Direction):
                self.fault(file, index, "direction", f"is none of {', '.join(Direction)}")
            if row["sensitivity"] not in {*Sensitivity, ""}:
                self.fault(file, index, "sensitivity", f"is none of {', '.join(Sensitivity)}")
            for column in ("valid_from", "valid_until"):
                if row[column] and not is_date(row[column]):
                    self.fault(file, index, column, "is not a date as YYYY-MM-DD")
            if row["valid_until"] and row["valid_from"] > row["valid_until"]:
                self.fault(file, index, "valid_until", "is before valid_from")
            line = (row["patient_id"], row["consent_id"])
            if line in seen:
                self.fault(file, index, "consent_id", "stands in an earlier line too")
            seen.add(line)
