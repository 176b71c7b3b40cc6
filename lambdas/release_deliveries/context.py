"""The context of ReleaseDeliveries."""

from dataclasses import dataclass

from lambdas.delivery.ledger.context import LedgerContext
from lambdas.release_deliveries.settings import ReleaseSettings


@dataclass(frozen=True)
class ReleaseContext(LedgerContext):
    """What the ledger needs, with the settings of this function."""

    settings: ReleaseSettings
