"""The key of a delivery."""

from lambdas.delivery.ledger.deliveries import deliveries


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


def test_the_key_of_a_first_notice_is_that_of_earlier_versions_and_a_second_has_its_own() -> None:
    # sha256 of ["e","r","email"], by sha256sum.
    assert deliveries.delivery_id("e", "r", "email") == "7f74f8e0d44748500571a3f19c3cd15a"
    second = deliveries.delivery_id("e", "r", "email", second=True)
    assert second not in (
        deliveries.delivery_id("e", "r", "email"),
        deliveries.delivery_id("e", "r", "second"),
    )
