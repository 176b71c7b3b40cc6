"""Problems of addresses that an operator has to correct."""

import msgspec

from lambdas.common.clock import now
from lambdas.delivery.ledger import table
from lambdas.delivery.ledger.context import LedgerContext
from lambdas.delivery.ledger.items import AddressProblem, AddressProblemState
from lambdas.delivery.ledger.table import Prefix

PREFIXES = {
    AddressProblemState.ENDPOINT_BAD: Prefix.ENDPOINT,
    AddressProblemState.CERTIFICATE_BAD: Prefix.CERTIFICATE,
}


def key_of(problem: AddressProblemState, endpoint_ref: str) -> str:
    """The key of the item about a problem of an address."""
    return PREFIXES[problem].key(endpoint_ref)


def report(
    context: LedgerContext,
    problem: AddressProblemState,
    endpoint_ref: str,
    *,
    recipient_ref: str,
    reason: str = "",
) -> None:
    """Writes a problem of an address for the operator; the latest replaces an earlier one."""
    facts = {"state": problem, "recipient_ref": recipient_ref, "reason": reason}
    key = key_of(problem, endpoint_ref)
    table.replace_item(context, {"delivery_id": key, "updated_at": now(), **facts})


def read(
    context: LedgerContext, problem: AddressProblemState, endpoint_ref: str
) -> AddressProblem | None:
    """The problem of an address, None where it has none. A corrected address has another reference."""
    item = table.read_item(context, key_of(problem, endpoint_ref))
    return msgspec.convert(item, AddressProblem) if "state" in item else None


def clear(context: LedgerContext, problem: AddressProblem) -> None:
    """Ends a problem: the address is used again. No person may delete items, so the item stays without a state."""
    table.update(context, problem.delivery_id, {"state": None, "updated_at": now()})


def reported(context: LedgerContext, problem: AddressProblemState) -> list[AddressProblem]:
    """All addresses that have the problem, the oldest first."""
    found = table.query(context, "by_state", "#state = :state", {":state": problem})
    return [msgspec.convert(item, AddressProblem) for item in found]
