"""docs/restore.md switches on again what a restore leaves off.

DynamoDB developer guide, "Restore a table in DynamoDB": a restored table has no time to live, tags,
deletion protection or point-in-time recovery until somebody sets them.
"""

import botocore.session

from infra.core.stores.tables import EXPIRES
from tests.conftest import ROOT
from tests.unit.docs.pages import commands


def test_the_restored_table_deletes_expired_items_again() -> None:
    found = [one for one in commands("aws") if "update-time-to-live" in one.words]
    assert [one.words[-1] for one in found] == [f"Enabled=true,AttributeName={EXPIRES}"]


def test_the_page_says_that_a_waiter_gives_up_before_a_long_restore_ends() -> None:
    """botocore's waiters.json: the AWS CLI ends with an error after so many seconds."""
    client = botocore.session.get_session().create_client("dynamodb", region_name="us-east-1")
    config = client.get_waiter("table_exists").config
    assert config.delay * config.max_attempts // 60 == 8
    page = (ROOT / "docs" / "restore.md").read_text("utf-8")
    assert "`aws dynamodb wait table-exists` gives up after eight minutes" in page
