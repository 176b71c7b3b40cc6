"""A class name has one meaning in the whole repository."""

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (
    *("bench", "environments", "hl7", "infra", "lambdas", "local", "ops", "receiver"),
    *("simulators", "supply_chain", "tests"),
)
CLASS = re.compile(r"^ *class (\w+)[(:\[]", re.MULTILINE)


def test_no_class_name_is_defined_twice() -> None:
    places = defaultdict(list)
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            for name in CLASS.findall(file.read_text("utf-8")):
                places[name].append(str(file.relative_to(ROOT)))
    assert len(places) > 400
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
