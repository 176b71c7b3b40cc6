"""The registry's files: their columns, and the parts of a row."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from lambdas.common.contracts.recipients.consent import Direction, Sensitivity
from lambdas.common.contracts.recipients.preferences import CostMode, DetailLevel
from lambdas.common.contracts.recipients.recipient import RelationshipType
from lambdas.registry.records import PREFERENCE_TEXTS

_FILES: dict[str, dict[str, list[str]]] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text("utf-8")
)


def _of_files(member: str) -> dict[str, tuple[str, ...]]:
    return {name: tuple(file[member]) for name, file in _FILES.items() if member in file}


COLUMNS = _of_files("columns")
"""The usual columns of each file. Several values in one cell stand between semicolons."""

MORE_COLUMNS = _of_files("more")
MORE_COLUMNS["providers.csv"] += PREFERENCE_TEXTS
"""Further columns of the files that have any."""

KEY_COLUMNS = _of_files("key")
"""The columns that a file must have: they name the item. Each other column may be left out."""

FILLED_COLUMNS = _of_files("filled")
"""The columns that are empty in no row."""

DATES = _of_files("days")
"""The columns with a day (YYYY-MM-DD)."""

FILES = tuple(COLUMNS)

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
