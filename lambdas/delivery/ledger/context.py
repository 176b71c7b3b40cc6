"""The context of the functions that read or write the delivery ledger."""

from dataclasses import dataclass

from lambdas.common.function.context import Context
from lambdas.delivery.ledger.settings import LedgerSettings


@dataclass(frozen=True)
class LedgerContext(Context):
    """The context of every step, with the ledger's table."""

    settings: LedgerSettings
