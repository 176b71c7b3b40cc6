"""docs/security.md: the map of patient data is complete, its periods are settings, its tests exist."""

import ast
import json
import re
from dataclasses import fields
from fnmatch import fnmatchcase

import pytest

from environments import Retention
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
SPAN = re.compile(r"`([^`\n]+)`")
STANDARDS = (
    *("(a)(1)", "(a)(2)(i)", "(a)(2)(ii)", "(a)(2)(iii)", "(a)(2)(iv)", "(b)", "(c)(1)", "(c)(2)"),
    *("(d)", "(e)(1)", "(e)(2)(i)", "(e)(2)(ii)"),
)
"""45 CFR 164.312, its standards and implementation specifications."""


def section(title: str) -> str:
    """The text of a section and of those below it."""
    after = PAGE.split(f"\n## {title}\n", 1)[1]
    return re.split(r"\n## ", after)[0]


def test_every_stateful_resource_is_on_the_map() -> None:
    stateful = json.loads((ROOT / "tests" / "infra" / "stateful.json").read_text())
    on_map = SPAN.findall(section("Places"))
    missing = [
        logical_id
        for part in stateful.values()
        for logical_id in part
        if not any(fnmatchcase(logical_id, name) for name in on_map)
    ]
    assert missing == []


def test_the_map_names_no_resource_that_no_stack_makes() -> None:
    stateful = json.loads((ROOT / "tests" / "infra" / "stateful.json").read_text())
    known = {logical_id for part in stateful.values() for logical_id in part}
    kinds = re.compile(r"(Table|Bucket|Queue|Key|Secret|LogGroup)[A-Z]\w+|BackupVault")
    named = {name for name in SPAN.findall(section("Places")) if kinds.fullmatch(name)}
    assert named - known == set()


def test_the_periods_of_the_map_are_the_settings_of_an_environment() -> None:
    named = {name for name in SPAN.findall(section("Places")) if re.fullmatch(r"\w+_days", name)}
    assert named == {field.name for field in fields(Retention)}


def test_every_place_says_how_long_it_keeps_its_data() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section("Places").splitlines()
        if line.startswith("| ") and not line.startswith("| Place |")
    ]
    assert len(rows) > 20
    assert [row[0] for row in rows if not row[-1]] == []


def test_every_technical_safeguard_has_a_row() -> None:
    cells = [
        line.split("|")[1].strip()
        for line in section("HIPAA technical safeguards").splitlines()
        if line.startswith("| (")
    ]
    named = {name for cell in cells for name in cell.split(", ")}
    assert named == set(STANDARDS)


@pytest.mark.parametrize(
    "named", sorted({span for span in SPAN.findall(PAGE) if span.startswith("tests/")})
)
def test_a_test_that_the_page_names_exists(named: str) -> None:
    path, _, name = named.partition("::")
    file = ROOT / path
    assert file.exists()
    if name:
        tree = ast.parse(file.read_text("utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
