"""docs/restore.md switches on again what a restore leaves off.

DynamoDB developer guide, "Restore a table in DynamoDB": a restored table has no time to live, tags, deletion
protection or point-in-time recovery until somebody sets them.
"""

from infra.core.stores.tables import EXPIRES
from tests.unit.docs.pages import commands


def test_the_restored_table_deletes_expired_items_again() -> None:
    found = [one for one in commands("aws") if "update-time-to-live" in one.words]
    assert [one.words[-1] for one in found] == [f"Enabled=true,AttributeName={EXPIRES}"]
