"""The lock files that the bills of materials and the audit cover."""

import re
from pathlib import Path

from supply_chain import locks

ROOT = Path(__file__).resolve().parents[3]


def test_every_lock_file_that_make_lock_writes_is_covered() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (steps,) = re.findall(r"for step in ([\w ]+); do", makefile)
    written = set(re.findall(r"\s([\w/]*(?:requirements|peers)\.txt)", makefile))
    written |= {f"lambdas/{step}/requirements.txt" for step in steps.split()}
    assert written == {str(p.relative_to(ROOT)) for p in locks.python_locks(ROOT)}


def test_the_lock_files_of_node_are_covered() -> None:
    found = {str(p.relative_to(ROOT)) for p in locks.node_locks(ROOT)}
    assert {"package-lock.json", "tests/infra/judges/package-lock.json"} <= found
