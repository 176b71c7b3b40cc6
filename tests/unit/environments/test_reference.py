"""docs/configuration.md lists every setting of the JSON Schemas."""

import tomllib
from pathlib import Path

import pytest

from environments.loader import FOLDER
from environments.reference import PAGE, tables, with_tables


def test_the_page_has_the_current_tables() -> None:
    page = PAGE.read_text("utf-8")
    assert page == with_tables(page), "run `python -m environments.reference`"


def test_every_setting_has_a_meaning() -> None:
    rows = [line.split(" | ") for line in tables().splitlines() if line.startswith("| `")]
    assert len(rows) > 70
    assert [row[0] for row in rows if row[-1].strip(" |") == ""] == []


@pytest.mark.parametrize(
    "file", sorted(FOLDER.rglob("*.toml")), ids=lambda file: str(file.relative_to(FOLDER))
)
def test_the_tables_hold_every_key_that_a_file_sets(file: Path) -> None:
    keys = tomllib.loads(file.read_text("utf-8"))
    assert [key for key in keys if f"| `{key}` |" not in tables()] == []
