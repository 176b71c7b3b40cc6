"""Items that earlier versions wrote are still read."""

from typing import Any

import pytest

from lambdas.common.audit import chain
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.delivery.context import DeliveryContext
from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.deliveries import deliveries
from tests.functional.lambdas.deliver_notification.world import EVENT_ID, DeliveryWorld, sent_mails
from tests.support.audit import entry


def withheld(context: DeliveryContext, world: DeliveryWorld) -> None:
    """Leaves the delivery as the version wrote it that said `withheld`, with its audit entry."""
    table.replace_item(
        context,
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
        },
    )
    older = entry("DeliverNotification", "WITHHELD", "withheld", delivery_id=world.delivery_id)
    chain.append(context, EVENT_ID, older)


def test_a_delivery_that_was_withheld_is_suppressed(context: DeliveryContext, aws: Any) -> None:
    world = DeliveryWorld(context)
    withheld(context, world)
    item = deliveries.read(context, world.delivery_id)
    assert item is not None
    assert item.state is DeliveryState.SUPPRESSED


def test_a_withheld_delivery_is_neither_sent_nor_audited_again(
    context: DeliveryContext, aws: Any
) -> None:
    world = DeliveryWorld(context)
    withheld(context, world)
    assert world.run()["outcome"] == "suppressed"
    assert sent_mails() == []
    assert world.actions == ["WITHHELD"]


def test_a_state_that_nobody_knows_is_an_error(context: DeliveryContext, aws: Any) -> None:
    table.replace_item(context, {"delivery_id": "d1", "state": "elsewhere"})
    with pytest.raises(ValueError, match="elsewhere"):
        deliveries.read(context, "d1")
