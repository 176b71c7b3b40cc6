"""A constant names its meaning and its unit: `MAX_PAUSE_SECONDS`, not `LONGEST` or `SECONDS`."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    *("environments", "hl7", "infra", "lambdas", "ops", "receiver"),
    *("local", "simulators", "supply_chain", "bench"),
)
VAGUE = {
    *("SECONDS", "MINUTES", "HOURS", "BYTES", "PAGES", "TIMEOUT", "LIFETIME"),
    *("MOST", "LONGEST", "LEAST", "SHORTEST"),
}


WRITTEN = re.compile(rf"\b_*({'|'.join(VAGUE)})_*\b")


def names(file: Path) -> set[str]:
    found: set[str] = set()
    code = file.read_text()
    # Parsing every file takes seconds.
    for node in ast.parse(code).body if WRITTEN.search(code) else ():
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        found |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return found


def test_no_constant_is_named_by_a_superlative_or_its_unit_alone() -> None:
    found = {
        f"{file.relative_to(ROOT)} {name}"
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        for name in names(file)
        if name.strip("_") in VAGUE
    }
    assert found == set()
