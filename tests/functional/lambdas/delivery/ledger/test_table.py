"""The ledger's table: reading items, and the one function that changes an item."""

from typing import Any

import pytest

from lambdas.common.aws.item_writes import Update
from lambdas.common.errors import DependencyUnavailableError
from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.context import LedgerContext, LedgerSettings
from lambdas.delivery.ledger.deliveries import deliveries


def test_a_delivery_that_was_never_made_has_no_item(context: LedgerContext, aws: Any) -> None:
    assert deliveries.read(context, "d1") is None


def test_messages_wait_for_the_name_of_the_ledger(
    context: LedgerContext, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ENS_LEDGER_TABLE")
    with pytest.raises(DependencyUnavailableError, match="ENS_LEDGER_TABLE"):
        LedgerSettings.from_environment()


def test_an_update_sets_removes_and_adds_in_one_write(context: LedgerContext, aws: Any) -> None:
    table.replace_item(context, {"delivery_id": "d1", "state": "held", "due_at": "x", "used": 1})
    changes = {"state": "sent", "due_at": None}
    updated = table.update(
        context,
        "d1",
        changes,
        "#state = :held",
        {":held": "held"},
        add={"used": 2},
        once={"first": "a"},
    )
    assert updated.applied
    assert updated.item == table.read_item(context, "d1")
    assert updated.item.pop("expires_at")
    assert updated.item == {"delivery_id": "d1", "state": "sent", "used": 3, "first": "a"}
    assert table.update(context, "d1", {}, once={"first": "b"}).item["first"] == "a"


def test_an_update_whose_condition_fails_returns_the_item_as_it_is(
    context: LedgerContext, aws: Any
) -> None:
    item = {"delivery_id": "d1", "state": "sent"}
    table.replace_item(context, item)
    refused = table.update(context, "d1", {"state": "held"}, "#state = :held", {":held": "held"})
    assert refused == Update(False, item)
    missing = table.update(context, "d2", {"state": "held"}, "#state = :held", {":held": "held"})
    assert missing == Update(False, {})
    assert table.read_item(context, "d2") == {}
