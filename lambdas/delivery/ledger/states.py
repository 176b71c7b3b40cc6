"""The ledger's closed sets of words."""

from enum import StrEnum


class DeliveryState(StrEnum):
    """The state of a delivery.

    claimed: about to be sent. sending: the call to SES may be under way. sent: SES took the mail.
    refused: not sent, for good. unknown: SES may have taken the mail, so it is not sent again.
    held: waits for `release_at`. suppressed: not sent, because the event was cancelled first.
    """

    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    HELD = "held"
    SUPPRESSED = "suppressed"

    @classmethod
    def _missing_(cls, value: object) -> "DeliveryState | None":
        """Items of earlier versions say `withheld`."""
        return cls.SUPPRESSED if value == "withheld" else None


SETTLED = frozenset(
    {
        DeliveryState.SENT,
        DeliveryState.REFUSED,
        DeliveryState.UNKNOWN,
        DeliveryState.SUPPRESSED,
    }
)
"""States after which a run has nothing left to do."""


class HoldReason(StrEnum):
    """Why a delivery is held."""

    DIGEST = "digest"
    QUIET = "quiet"
    SWITCHED_OFF = "switched_off"
    RATE = "rate"
    QUOTA = "quota"
    FALLBACK = "fallback"
    RESEND = "resend"


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
