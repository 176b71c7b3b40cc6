"""The registry's files: their columns, and the parts of a row."""

from collections.abc import Mapping, Sequence

from lambdas.common.contracts.recipients.consent import Direction, Sensitivity
from lambdas.common.contracts.recipients.preferences import CostMode, DetailLevel
from lambdas.common.contracts.recipients.recipient import RelationshipType
from lambdas.registry.records import PREFERENCE_TEXTS

COLUMNS = {
    "patients.csv": ("patient_id", "family", "given", "birth_date", "sex"),
    "identifiers.csv": ("authority", "value", "patient_id", "provider_id"),
    "providers.csv": ("provider_id", "prefix", "given", "family", "npi", "email", "active"),
    "relationships.csv": ("patient_id", "provider_id", "relationship", "active"),
    "consents.csv": (
        "consent_id",
        "patient_id",
        "direction",
        "sensitivity",
        "provider_id",
        "valid_from",
        "valid_until",
        "evidence",
    ),
}
"""The usual columns of each file. Several values in one cell stand between semicolons."""

MORE_COLUMNS = {
    "patients.csv": ("former_families", "merged_into"),
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
        *PREFERENCE_TEXTS,
    ),
}
"""Further columns of the files that have any."""

KEY_COLUMNS = {
    "patients.csv": ("patient_id",),
    "identifiers.csv": ("authority", "value"),
    "providers.csv": ("provider_id",),
    "relationships.csv": ("patient_id", "provider_id", "relationship"),
    "consents.csv": ("consent_id", "patient_id"),
}
"""The columns that a file must have: they name the item. Each other column may be left out."""

FILLED_COLUMNS = {
    "patients.csv": ("patient_id", "family"),
    "identifiers.csv": ("authority", "value"),
    "providers.csv": ("provider_id", "family"),
    "relationships.csv": ("patient_id", "provider_id"),
    "consents.csv": ("consent_id", "patient_id"),
}
"""The columns that are empty in no row."""

YES_OR_NO = ("yes", "no", "")
WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "patients.csv": {"sex": ("F", "M", "O", "U", "")},
    "providers.csv": {
        "active": YES_OR_NO,
        "kind": ("person", "facility", ""),
        "notify": YES_OR_NO,
        "language": ("en", "fr-CA", ""),
        "detail": (*DetailLevel, ""),
        "analysis": (*CostMode, ""),
        "bundle": YES_OR_NO,
    },
    "relationships.csv": {"relationship": tuple(RelationshipType), "active": YES_OR_NO},
    "consents.csv": {"direction": tuple(Direction), "sensitivity": (*Sensitivity, "")},
}
"""The words of the columns that take no others."""

DATES = {
    "patients.csv": ("birth_date",),
    "providers.csv": ("away_from", "away_until"),
    "consents.csv": ("valid_from", "valid_until"),
}
"""The columns with a day (YYYY-MM-DD)."""

FILES = tuple(COLUMNS)

Row = dict[str, str]
Lines = Mapping[str, tuple[str, Sequence[int]]]
"""Of each file, its real name and the line on which each of its rows stands."""


class InvalidRegistryError(ValueError):
    """Registry files with faults. `problems` name file, line and column, never a cell's text."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def place(lines: Lines, file: str, index: int) -> str:
    """The file and line of a row."""
    name, numbers = lines.get(file, (file, ()))
    return f"{name} line {numbers[index] if numbers else index + 2}"


def values(cell: str) -> list[str]:
    """The values in a cell, between semicolons."""
    return [value for piece in cell.split(";") if (value := piece.strip())]
