"""The context of ReleaseDeliveries."""

from dataclasses import dataclass

from lambdas.delivery.ledger.context import LedgerContext
from lambdas.release_deliveries.settings import ReleaseSettings


@dataclass(frozen=True)
class ReleaseContext(LedgerContext):
    """The ledger's context, with the settings of ReleaseDeliveries."""

    settings: ReleaseSettings
