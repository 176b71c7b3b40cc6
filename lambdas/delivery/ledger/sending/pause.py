"""The switch of all deliveries: `paused` holds them until an operator continues."""

import msgspec

from lambdas.common.clock import now
from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.items import Switch, SwitchState
from lambdas.delivery.ledger.table import Prefix

SWITCH = Prefix.SWITCH.key("delivery")
"""The key of the switch's item."""


def set_switch(context: LedgerContext, state: SwitchState, by: str) -> None:
    """Sets the switch of all deliveries, in a person's name."""
    table.replace_item(
        context, {"delivery_id": SWITCH, "state": state, "by": by, "updated_at": now()}
    )


def read_switch(context: LedgerContext) -> Switch:
    """The switch as it was set last; `on` where nobody ever set it."""
    return msgspec.convert(table.read_item(context, SWITCH), Switch)


def paused(context: LedgerContext) -> bool:
    """Whether the switch holds every delivery."""
    return read_switch(context).state is SwitchState.PAUSED
