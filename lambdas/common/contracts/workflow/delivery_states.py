"""The closed sets of a delivery."""

from enum import StrEnum


class DeliveryState(StrEnum):
    """The state of a delivery.

    claimed: about to be sent. sending: the call to SES may be under way. sent: SES took the mail.
    refused: not sent, for good. unknown: SES may have taken the mail, so it is not sent again.
    held: waits for `release_at`. suppressed: not sent, because the event was withdrawn first.
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


class HoldReason(StrEnum):
    """The reason for which a delivery is held.

    settle: the hospital may complete the message within its settling time. own_mail: the recipient was to
    share the mail of another one, and no longer can.
    """

    SETTLE = "settle"
    DIGEST = "digest"
    QUIET = "quiet"
    SWITCHED_OFF = "switched_off"
    RATE = "rate"
    QUOTA = "quota"
    FALLBACK = "fallback"
    RESEND = "resend"
    OWN_MAIL = "own_mail"
