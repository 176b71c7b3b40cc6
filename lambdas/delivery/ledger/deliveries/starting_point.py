"""Reads, with one call, the ledger's items from which a run at a delivery starts."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.items import (
    AddressProblemState,
    DeliveryItem,
    MailAccount,
    Switch,
    SwitchState,
)
from lambdas.delivery.ledger.sending import address_problems, mail_account, pause


@dataclass(frozen=True, slots=True)
class StartingPoint:
    """A delivery's item, the switch of all deliveries, the mail account, and whether the address failed before.

    `item` is None where no run has begun the delivery. `address_failed`: a mail bounced, or its reader
    complained.
    """

    item: DeliveryItem | None
    paused: bool
    account: MailAccount
    address_failed: bool


def starting_point(
    context: LedgerContext, delivery_id: str, endpoint_refs: Sequence[str]
) -> StartingPoint:
    """The starting point of a delivery to an address, read consistently.

    `endpoint_refs` are the references of the address under each key that is tried.
    """
    failed = [
        address_problems.key_of(AddressProblemState.ENDPOINT_BAD, reference)
        for reference in endpoint_refs
    ]
    keys = (delivery_id, pause.SWITCH, mail_account.KEY, *failed)
    found = table.read_several(context, keys)
    item = found.get(delivery_id)
    switch = msgspec.convert(found.get(pause.SWITCH, {}), Switch)
    return StartingPoint(
        item=msgspec.convert(item, DeliveryItem) if item else None,
        paused=switch.state is SwitchState.PAUSED,
        account=msgspec.convert(found.get(mail_account.KEY, {}), MailAccount),
        # An operator may have reopened it: its item has no state.
        address_failed=any("state" in found.get(key, {}) for key in failed),
    )
