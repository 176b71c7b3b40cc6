"""The settings and the context of ReleaseDeliveries."""

from dataclasses import dataclass

from lambdas.common.function.settings import choice, required, setting, whole
from lambdas.delivery.ledger.context import LedgerContext, LedgerSettings

ON_UNKNOWN = ("park", "resend_once")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSettings(LedgerSettings):
    """`deliver_function` makes the deliveries, at most `ses_rate` a second (0: the account's own rate).

    `resends_unknown` sends an unknown delivery again, once.
    """

    deliver_function: str = setting(required, "ENS_DELIVER_FUNCTION")
    ses_rate: int = setting(whole, "ENS_SES_RATE", 0)
    resends_unknown: bool = setting(
        lambda: choice("ENS_ON_UNKNOWN", ON_UNKNOWN, "park") == "resend_once",
        default=False,
    )


@dataclass(frozen=True)
class ReleaseContext(LedgerContext):
    """The ledger's context, with the settings of ReleaseDeliveries."""

    settings: ReleaseSettings
