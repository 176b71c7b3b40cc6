"""docs/restore.md: it names each table with its key, and switches on again what a restore leaves off.

DynamoDB developer guide, "Restore a table in DynamoDB": a restored table has no time to live, tags, deletion
protection or point-in-time recovery until somebody sets them.
"""

import json

from infra.core.stores.tables import EXPIRES
from tests.conftest import ROOT
from tests.unit.docs.pages import commands

PAGE = (ROOT / "docs" / "restore.md").read_text("utf-8")


def test_every_table_is_named_with_its_own_key() -> None:
    core = json.loads((ROOT / "tests" / "infra" / "stateful.json").read_text())["core"]
    tables = {name for name, kind in core.items() if kind == "AWS::DynamoDB::Table"}
    assert [name for name in sorted(tables) if f"`{name}`" not in PAGE] == []
    # The keys of the tables, one for each group of readers (infra/core/stores/keys.py).
    keys = ("KeyRecords", "KeyRegistry", "KeyEncounters")
    assert [key for key in keys if f"`{key}`" not in PAGE] == []


def test_the_restored_table_deletes_expired_items_again() -> None:
    found = [one for one in commands("aws") if "update-time-to-live" in one.words]
    assert [one.words[-1] for one in found] == [f"Enabled=true,AttributeName={EXPIRES}"]
