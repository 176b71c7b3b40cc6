"""The ledger's closed sets of words."""

from enum import StrEnum

from lambdas.common.contracts.workflow.delivery_states import DeliveryState, HoldReason

SETTLED = frozenset(
    {
        DeliveryState.SENT,
        DeliveryState.REFUSED,
        DeliveryState.UNKNOWN,
        DeliveryState.SUPPRESSED,
    }
)
"""States after which a run has nothing left to do."""


TOGETHER = frozenset({HoldReason.DIGEST, HoldReason.QUIET})
"""Deliveries held for these reasons are released in one mail to each recipient."""


class AddressProblemState(StrEnum):
    """A problem of an address that an operator has to correct in the provider directory."""

    ENDPOINT_BAD = "endpoint_bad"
    CERTIFICATE_BAD = "certificate_bad"


class SwitchState(StrEnum):
    """`paused` holds every delivery of the environment."""

    PAUSED = "paused"
    ON = "on"
