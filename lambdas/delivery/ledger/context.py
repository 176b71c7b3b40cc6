"""Settings and context of the functions that read or write the delivery ledger."""

from dataclasses import dataclass

from lambdas.common.function.context import Context
from lambdas.common.function.settings import Settings, required, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSettings(Settings):
    """The settings of all steps, and the ledger's table (ENS_LEDGER_TABLE)."""

    ledger_table: str = setting(required, "ENS_LEDGER_TABLE")


@dataclass(frozen=True)
class LedgerContext(Context):
    """The context of every step, with the ledger's table."""

    settings: LedgerSettings
