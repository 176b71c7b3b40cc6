"""Items that earlier versions wrote are still read."""

from typing import Any

import pytest

from lambdas.common.audit import chain
from lambdas.delivery.ledger import deliveries, table
from lambdas.delivery.ledger.states import DeliveryState
from tests.functional.lambdas.deliver_notification.world import EVENT_ID, DeliveryWorld, sent_mails


def withheld(world: DeliveryWorld) -> None:
    """Leaves the delivery as the version wrote it that said `withheld`, with its audit entry."""
    table.replace_item(
        {
            "delivery_id": world.delivery_id,
            "event_id": EVENT_ID,
            "recipient_ref": "k1.recipient",
            "channel": "email",
            "patient_ref": "k1.patient",
            "state": "withheld",
            "reason": "c" * 32,
            "attempt_id": "a",
            "lease_until": 1,
            "claimed_at": "2026-11-23T13:12:05.000Z",
            "updated_at": "2026-11-23T13:12:05.000Z",
        }
    )
    entry = {"step": "DeliverNotification", "action": "WITHHELD", "outcome": "withheld"}
    chain.append(EVENT_ID, {**entry, "delivery_id": world.delivery_id})


def test_a_delivery_that_was_withheld_is_suppressed(aws: Any) -> None:
    world = DeliveryWorld()
    withheld(world)
    item = deliveries.read(world.delivery_id)
    assert item is not None
    assert item.state is DeliveryState.SUPPRESSED


def test_a_withheld_delivery_is_neither_sent_nor_audited_again(aws: Any) -> None:
    world = DeliveryWorld()
    withheld(world)
    assert world.run()["outcome"] == "suppressed"
    assert sent_mails() == []
    assert world.actions == ["WITHHELD"]


def test_a_state_that_nobody_knows_is_an_error(aws: Any) -> None:
    table.replace_item({"delivery_id": "d1", "state": "elsewhere"})
    with pytest.raises(ValueError, match="elsewhere"):
        deliveries.read("d1")
