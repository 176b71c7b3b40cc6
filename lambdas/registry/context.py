"""The context of the functions that read the registry: LookupIdentities and DeliverNotification."""

from dataclasses import dataclass

from lambdas.delivery.ledger.context import LedgerContext
from lambdas.registry.settings import RegistrySettings


@dataclass(frozen=True)
class RegistryContext(LedgerContext):
    """The ledger's context, with the registry's table."""

    settings: RegistrySettings
