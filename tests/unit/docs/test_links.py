"""Every link and every path in a page leads to a file, a folder or a heading that exists."""

import re
from pathlib import Path

from tests.conftest import ROOT
from tests.unit.docs.pages import PAGES

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FOLDERS = (
    *("bench", "docs", "environments", "hl7", "infra", "lambdas", "local", "ops", "receiver"),
    *("samples", "simulators", "statemachine", "supply_chain", "tests"),
)
_PATH = re.compile(rf"`((?:{'|'.join(_FOLDERS)})/[\w./*-]+?)(?:::\w+)?`")
_OF_ANOTHER_TIME = {"CHANGELOG.md", "docs/adr/0185-tests-mirror-the-code.md"}
"""Pages that name what was replaced."""
_OF_A_READER = {"environments/senders/west.toml"}
"""Files that a reader of the page writes."""


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {
        re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        for heading in _HEADING.findall(text)
    }


def test_every_relative_link_leads_somewhere() -> None:
    broken, count = [], 0
    for page in PAGES:
        for link in _LINK.findall(page.read_text("utf-8")):
            if re.match(r"[a-z]+:", link):
                continue
            count += 1
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert count > 40
    assert broken == []


def test_every_path_in_a_page_is_in_the_repository() -> None:
    named = {
        (page.relative_to(ROOT).as_posix(), path)
        for page in PAGES
        for path in _PATH.findall(page.read_text("utf-8"))
    }
    assert len(named) > 200
    assert not [
        f"{page}: {path}"
        for page, path in sorted(named)
        if page not in _OF_ANOTHER_TIME and path not in _OF_A_READER and not any(ROOT.glob(path))
    ]
