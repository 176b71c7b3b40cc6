"""The changes that an SES event makes: its mark is added, and an unknown delivery gets its state."""

import msgspec

from lambdas.common.clock import now
from lambdas.common.contracts.workflow.delivery_states import DeliveryState
from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.deliveries.due import NOT_DUE
from lambdas.delivery.ledger.items import DeliveryItem


def note(context: LedgerContext, delivery_id: str, event_id: str, mark: str) -> DeliveryItem | None:
    """The delivery with the event's mark in its set `feedback`; None when there is no such delivery.

    The same event noted twice leaves one mark.
    """
    noted = table.update(
        context,
        delivery_id,
        {"updated_at": now()},
        "#event_id = :event",
        {":event": event_id},
        add={"feedback": {mark}},
    )
    return msgspec.convert(noted.item, DeliveryItem) if noted.applied else None


def settle(
    context: LedgerContext, delivery_id: str, state: DeliveryState, ses_message_id: str
) -> None:
    """Gives a delivery in `sending` or `unknown` the state that the SES event proves."""
    table.update(
        context,
        delivery_id,
        {"state": state, "ses_message_id": ses_message_id, "updated_at": now(), **NOT_DUE},
        "#state IN (:sending, :unknown)",
        {":sending": DeliveryState.SENDING, ":unknown": DeliveryState.UNKNOWN},
    )
