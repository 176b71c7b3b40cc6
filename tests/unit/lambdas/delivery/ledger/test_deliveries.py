"""The key of a delivery."""

from lambdas.delivery.ledger import deliveries


def test_a_delivery_has_one_id_per_event_recipient_and_channel() -> None:
    one = deliveries.delivery_id("e", "r", "email")
    assert one == deliveries.delivery_id("e", "r", "email")
    assert len(one) == 32
    assert (
        len(
            {
                one,
                deliveries.delivery_id("e", "r", "sms"),
                deliveries.delivery_id("er", "", "email"),
            }
        )
        == 3
    )
