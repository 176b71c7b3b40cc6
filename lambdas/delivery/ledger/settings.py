"""Settings of the functions that read or write the delivery ledger."""

from dataclasses import dataclass
from typing import Self

from lambdas.common.function.settings import Settings, required, shared


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSettings(Settings):
    """The settings of all steps, and the ledger's table (ENS_LEDGER_TABLE)."""

    ledger_table: str

    @classmethod
    def from_environment(cls) -> Self:
        """The settings in the environment variables; `ConfigurationError` names one that is missing."""
        return cls(**shared(), ledger_table=required("ENS_LEDGER_TABLE"))
