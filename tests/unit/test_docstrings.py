"""The first line of a docstring names what comes back or happens, subject first."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    *("environments", "hl7", "infra", "lambdas", "ops", "receiver"),
    *("local", "simulators", "supply_chain", "bench", "tests"),
)
CLAUSE = re.compile(r"(What|Who|Whoever|Whom|Whose|Where|How|Why|When|Which|Having|That)\b")
QUOTED = re.compile(rf'"""\s*{CLAUSE.pattern}')


def test_no_docstring_begins_with_a_clause_instead_of_a_thing() -> None:
    found = []
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            code = file.read_text()
            # Parsing every file takes seconds.
            for node in ast.walk(ast.parse(code)) if QUOTED.search(code) else ():
                documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
                text = ast.get_docstring(node) if isinstance(node, documented) else None
                if text and CLAUSE.match(text):
                    place = f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"
                    found.append(f"{place} {text.splitlines()[0]}")
    assert found == []
