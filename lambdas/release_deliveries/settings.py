"""Settings of ReleaseDeliveries beyond the delivery ledger's."""

from dataclasses import dataclass
from typing import Self

from lambdas.common.function.settings import choice, required, shared, whole
from lambdas.delivery.ledger.settings import LedgerSettings

ON_UNKNOWN = ("park", "resend_once")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSettings(LedgerSettings):
    """`deliver_function` makes the deliveries, at most `ses_rate` a second (0: the account's own rate).

    `resends_unknown` sends an unknown delivery again, once.
    """

    deliver_function: str
    ses_rate: int = 0
    resends_unknown: bool = False

    @classmethod
    def from_environment(cls) -> Self:
        """The settings in the environment variables; `ConfigurationError` names one that is wrong."""
        return cls(
            **shared(),
            ledger_table=required("ENS_LEDGER_TABLE"),
            deliver_function=required("ENS_DELIVER_FUNCTION"),
            ses_rate=whole("ENS_SES_RATE", 0),
            resends_unknown=choice("ENS_ON_UNKNOWN", ON_UNKNOWN, "park") == "resend_once",
        )
