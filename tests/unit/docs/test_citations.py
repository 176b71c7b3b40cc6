"""Code cites pages that exist, and the index of decisions lists every record."""

import re
from pathlib import Path

from tests.conftest import ROOT

_FOLDERS = (
    "environments",
    "hl7",
    "infra",
    "lambdas",
    "local",
    "ops",
    "receiver",
    "simulators",
    "tests",
)
_CITATION = re.compile(r"\b(docs/[\w/-]+\.md)(?:#([\w-]+))?|(?<![\w/-])(\w+\.md \d)")
_RECORDS = ROOT / "docs" / "adr"


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    found = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def _leads_nowhere(path: str, anchor: str) -> bool:
    page = ROOT / path
    return not page.is_file() or bool(anchor and anchor not in _anchors(page))


def test_every_page_that_the_code_cites_is_in_the_repository() -> None:
    files = [file for folder in _FOLDERS for file in (ROOT / folder).rglob("*.py")]
    found = [
        (file, path or section, anchor)
        for file in (*files, ROOT / "package.json", ROOT / "pyproject.toml", ROOT / "Makefile")
        for path, anchor, section in _CITATION.findall(file.read_text("utf-8"))
    ]
    assert len(found) > 10
    assert not [
        f"{file.relative_to(ROOT)}: {path}#{anchor}"
        for file, path, anchor in found
        if _leads_nowhere(path, anchor)
    ]


def test_the_index_of_decisions_lists_every_record() -> None:
    index = (_RECORDS / "README.md").read_text("utf-8")
    records = [record.name for record in _RECORDS.glob("*.md") if record.name[0].isdigit()]
    assert not [name for name in records if f"]({name})" not in index]
